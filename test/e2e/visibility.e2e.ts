import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { UserVisibility, VisibilityEvents, type Privacy, type VisibilityChange } from '../../src/users/index.js';
import { rest } from '../support/client.js';
import { TestCluster } from '../support/cluster.js';
import { directConversation, groupConversation, mutualConversation } from '../support/conversations.js';
import { patient } from '../setup/patience.js';

let cluster: TestCluster;
beforeAll(async () => {
  cluster = await TestCluster.start();
});
afterAll(async () => {
  await cluster?.stop();
});

/** User ids nobody else has, of users who have been here. */
async function someUsers(count: number): Promise<string[]> {
  const ids = Array.from({ length: count }, (_, i) => `user-${i}-${randomUUID().slice(0, 8)}`);
  await Promise.all(ids.map((id) => rest(cluster.url(), id, 'GET', '/v1/me')));
  return ids;
}

const visibility = (node = 0): UserVisibility => cluster.nodes[node]!.app!.get(UserVisibility);
const call = async (userId: string, method: string, path: string, body?: unknown): Promise<void> => {
  const { status } = await rest(cluster.url(), userId, method, path, body);
  if (status >= 300) throw new Error(`${method} ${path}: ${status}`);
};
const setPrivacy = (userId: string, privacy: Partial<Privacy>): Promise<void> =>
  call(userId, 'PATCH', '/v1/me', { privacy });
const add = (userId: string, list: 'contacts' | 'blocks', other: string): Promise<void> =>
  call(userId, 'PUT', `/v1/me/${list}/${other}`);
const takeOff = (userId: string, list: 'contacts' | 'blocks', other: string): Promise<void> =>
  call(userId, 'DELETE', `/v1/me/${list}/${other}`);

/** What a viewer sees of a user, in a few letters: `online`, `lastSeen`, `blocked`. */
async function sees(viewer: string, user: string, node = 0): Promise<string> {
  const sight = (await visibility(node).visibleTo(viewer, [user])).get(user)!;
  expect((await visibility(node).seenBy(user, [viewer])).get(viewer)).toEqual(sight);
  const { online, lastSeen, isBlocked } = sight;
  return [online && 'online', lastSeen && 'lastSeen', isBlocked && 'blocked'].filter(Boolean).join(' ');
}

const becomes = (look: () => Promise<unknown>, expected: unknown): Promise<void> =>
  expect.poll(look, { timeout: patient(2_000), interval: 10 }).toEqual(expected);

describe('what a viewer may see', () => {
  it('is nothing of strangers, those who do not exist, and who added him without being asked', async () => {
    const [alice, bob] = (await someUsers(2)) as [string, string];
    expect(await sees(alice, bob)).toBe('');
    expect(await sees(alice, `nobody-${randomUUID()}`)).toBe('');
    await add(alice, 'contacts', bob);
    expect(await sees(alice, bob)).toBe('');
    expect(await sees(bob, alice)).toBe('online lastSeen');
    expect(await sees(alice, alice)).toBe('online lastSeen');
  });

  it('follows contacts, direct conversations and groups as they come and go, on both nodes', async () => {
    const [alice, bob, carol] = (await someUsers(3)) as [string, string, string];
    for (const node of [0, 1]) expect(await sees(alice, bob, node)).toBe('');
    await add(bob, 'contacts', alice);
    expect(await sees(alice, bob)).toBe('online lastSeen');
    await becomes(() => sees(alice, bob, 1), 'online lastSeen');
    await takeOff(bob, 'contacts', alice);
    expect(await sees(alice, bob)).toBe('');
    await becomes(() => sees(alice, bob, 1), '');
    const group = await groupConversation(cluster.url(), alice, [bob, carol]);
    for (const node of [0, 1]) await becomes(() => sees(bob, alice, node), 'online lastSeen');
    expect(await sees(alice, bob)).toBe('');
    await call(bob, 'DELETE', `/v1/conversations/${group}/participants/${bob}`);
    for (const node of [0, 1]) await becomes(() => sees(bob, alice, node), '');
    expect(await sees(carol, alice)).toBe('online lastSeen');
    await directConversation(cluster.url(), bob, alice);
    for (const node of [0, 1]) await becomes(() => sees(alice, bob, node), 'online lastSeen');
    expect(await sees(bob, alice)).toBe('');
  });

  it('follows privacy, and the time somebody went is not shown without whether he is there', async () => {
    const [alice, bob] = (await someUsers(2)) as [string, string];
    await setPrivacy(bob, { online: 'everyone' });
    expect(await sees(alice, bob)).toBe('online');
    await setPrivacy(bob, { lastSeen: 'everyone' });
    expect(await sees(alice, bob)).toBe('online lastSeen');
    expect(await sees(alice, bob, 1)).toBe('online lastSeen');
    await directConversation(cluster.url(), bob, alice);
    await setPrivacy(bob, { online: 'nobody' });
    expect(await sees(alice, bob)).toBe('');
    await becomes(() => sees(alice, bob, 1), '');
    await setPrivacy(bob, { online: 'contacts', lastSeen: 'nobody' });
    expect(await sees(alice, bob)).toBe('online');
  });

  it('is nothing either way while one blocks the other', async () => {
    const [alice, bob] = (await someUsers(2)) as [string, string];
    await mutualConversation(cluster.url(), alice, bob);
    await setPrivacy(alice, { online: 'everyone', lastSeen: 'everyone' });
    for (const node of [0, 1]) await becomes(() => sees(bob, alice, node), 'online lastSeen');
    await add(alice, 'blocks', bob);
    expect([await sees(alice, bob), await sees(bob, alice)]).toEqual(['blocked', 'blocked']);
    await becomes(() => sees(bob, alice, 1), 'blocked');
    await becomes(() => sees(alice, bob, 1), 'blocked');
    await takeOff(alice, 'blocks', bob);
    expect([await sees(alice, bob), await sees(bob, alice)]).toEqual(['online lastSeen', 'online lastSeen']);
  });

  it('is, on every node, what a change has made of it as soon as that is answered', async () => {
    const [alice, bob] = (await someUsers(2)) as [string, string];
    await directConversation(cluster.url(), alice, bob);
    const group = await groupConversation(cluster.url(), alice, [bob]);
    const history = `/v1/conversations/${group}/messages`;
    for (let i = 0; i < 10; i++) {
      expect(await sees(bob, alice, 1)).toBe('online lastSeen');
      await add(alice, 'blocks', bob);
      expect(await sees(bob, alice, 1)).toBe('blocked');
      await takeOff(alice, 'blocks', bob);
    }
    expect((await rest(cluster.url(1), bob, 'GET', history)).status).toBe(200);
    await call(alice, 'DELETE', `/v1/conversations/${group}/participants/${bob}`);
    expect((await rest(cluster.url(1), bob, 'GET', history)).status).toBe(404);
  });

  it('comes for many at once, more than one query takes', async () => {
    const [alice, bob, carol] = (await someUsers(3)) as [string, string, string];
    await add(bob, 'contacts', alice);
    await setPrivacy(carol, { online: 'everyone' });
    const strangers = Array.from({ length: 1_200 }, () => randomUUID());
    const sights = await visibility().visibleTo(alice, [bob, ...strangers, carol, alice, bob]);
    const seen = [...sights].filter(([, { online }]) => online).map(([userId]) => userId);
    expect([sights.size, seen.sort()]).toEqual([1_203, [alice, bob, carol].sort()]);
  });
});

describe('who hears without asking', () => {
  const audience = async (userId: string, node = 0): Promise<string[]> =>
    [...(await visibility(node).audienceOf(userId))].sort();

  it('is who has the user as a contact and may see him, on both nodes', async () => {
    const [alice, bob, carol, dave, erin] = (await someUsers(5)) as [string, string, string, string, string];
    await groupConversation(cluster.url(), alice, [bob, erin]);
    expect(await audience(alice)).toEqual([]);
    await add(bob, 'contacts', alice);
    // Bob may see her by their group, but hears only by asking: he is no contact of hers.
    expect(await audience(alice)).toEqual([]);
    await add(alice, 'contacts', bob);
    await add(alice, 'contacts', dave);
    await directConversation(cluster.url(), alice, carol);
    for (const node of [0, 1]) await becomes(() => audience(alice, node), [bob, carol].sort());
    await add(erin, 'contacts', alice);
    await setPrivacy(alice, { online: 'everyone' });
    for (const node of [0, 1]) await becomes(() => audience(alice, node), [bob, carol, erin].sort());
    await add(carol, 'blocks', alice);
    await add(alice, 'blocks', erin);
    for (const node of [0, 1]) await becomes(() => audience(alice, node), [bob]);
    await setPrivacy(alice, { online: 'nobody' });
    for (const node of [0, 1]) await becomes(() => audience(alice, node), []);
  });
});

describe('changes', () => {
  it('are told on every node, after it knows', async () => {
    const [alice, bob] = (await someUsers(2)) as [string, string];
    await directConversation(cluster.url(), alice, bob);
    const told: [number, string, Promise<string>][] = [];
    for (const node of [0, 1]) {
      await becomes(() => sees(bob, alice, node), 'online lastSeen');
      const listener = ({ cause, userId, otherId }: VisibilityChange): void => {
        if (userId === alice && otherId === bob) told.push([node, cause, sees(bob, alice, node)]);
      };
      cluster.nodes[node]!.app!.get(VisibilityEvents).onChanged(listener);
    }
    await add(alice, 'blocks', bob);
    await add(alice, 'blocks', bob);
    await expect.poll(() => told.length).toBe(2);
    const heard = await Promise.all(told.map(async ([node, cause, seen]) => [node, cause, await seen]));
    expect(heard.sort()).toEqual([
      [0, 'blocked', 'blocked'],
      [1, 'blocked', 'blocked'],
    ]);
  });
});
