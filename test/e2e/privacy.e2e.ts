import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Presence } from '../../src/common/index.js';
import type { Privacy } from '../../src/users/index.js';
import { rest, type TestClient } from '../support/client.js';
import { TestCluster } from '../support/cluster.js';
import { directConversation, groupConversation, mutualConversation } from '../support/conversations.js';

const settings = { presenceGraceMs: 100 };

async function setPrivacy(url: string, userId: string, privacy: Partial<Privacy>): Promise<void> {
  expect((await rest(url, userId, 'PATCH', '/v1/me', { privacy })).status).toBe(200);
}

async function put(url: string, userId: string, list: 'contacts' | 'blocks', other: string): Promise<void> {
  expect((await rest(url, userId, 'PUT', `/v1/me/${list}/${other}`)).status).toBe(204);
}

describe('presence', () => {
  let cluster: TestCluster;
  beforeAll(async () => {
    cluster = await TestCluster.start({ settings });
  });
  afterAll(async () => {
    await cluster?.stop();
  });

  /** User ids nobody else has. */
  function someUsers(count: number): string[] {
    return Array.from({ length: count }, (_, i) => `user-${i}-${randomUUID().slice(0, 8)}`);
  }

  const presenceOf = async (viewer: TestClient, userId: string): Promise<Presence> =>
    (await viewer.ask<{ presences: Presence[] }>('get-presence', [userId])).presences[0]!;
  const hidden = (userId: string): Presence => ({ userId, status: 'offline', lastSeenAt: null });
  const seenAs = (userId: string, status: string): object => ({ userId, status, lastSeenAt: expect.any(String) });

  it('answers the same for who hides, who blocks and who does not exist', async () => {
    const [alice, hider, blocker, stranger, nobody] = someUsers(5) as [string, string, string, string, string];
    const url = cluster.url();
    const atAlice = await cluster.connect(alice, 1);
    await Promise.all([hider, blocker, stranger].map((userId) => cluster.connect(userId, 0)));
    for (const peer of [hider, blocker]) await directConversation(url, peer, alice);
    await setPrivacy(url, hider, { online: 'nobody' });
    await put(url, blocker, 'blocks', alice);
    const ids = [hider, blocker, stranger, nobody];
    const expected = ids.map(hidden);
    await expect
      .poll(async () => (await atAlice.ask<{ presences: Presence[] }>('get-presence', ids)).presences)
      .toEqual(expected);
    expect((await atAlice.ask('subscribe-presence', ids)).presences).toEqual(expected);
    const { body } = await rest(cluster.url(1), alice, 'GET', `/v1/presence?userIds=${ids.join(',')}`);
    expect(body).toEqual({ items: expected });
  });

  it('follows the setting, for answers and for events to those who asked', async () => {
    const [alice, bob] = someUsers(2) as [string, string];
    const url = cluster.url();
    const [atAlice, atBob] = await Promise.all([cluster.connect(alice, 1), cluster.connect(bob, 0)]);
    await atAlice.ask('subscribe-presence', [bob]);
    expect(await presenceOf(atAlice, bob)).toEqual(hidden(bob));
    await setPrivacy(url, bob, { online: 'everyone' });
    await expect.poll(() => presenceOf(atAlice, bob)).toEqual({ userId: bob, status: 'online', lastSeenAt: null });
    await setPrivacy(url, bob, { lastSeen: 'everyone' });
    await expect.poll(() => presenceOf(atAlice, bob)).toEqual(seenAs(bob, 'online'));
    await atBob.ask('user-online', { status: 'away' });
    expect(await atAlice.waitFor('user-online')).toEqual(seenAs(bob, 'away'));
    atAlice.forget();
    await setPrivacy(url, bob, { online: 'nobody' });
    await expect.poll(() => presenceOf(atAlice, bob)).toEqual(hidden(bob));
    await atBob.ask('user-online', { status: 'online' });
    await setPrivacy(url, bob, { online: 'everyone' });
    await expect.poll(() => presenceOf(atAlice, bob)).toEqual(seenAs(bob, 'online'));
    await atBob.ask('user-offline');
    expect(await atAlice.waitFor('user-offline')).toEqual(seenAs(bob, 'offline'));
    expect(atAlice.of('user-online')).toEqual([]);
  });

  it('stops for both the moment one blocks the other, on other nodes too, and goes on when that ends', async () => {
    const [alice, bob] = someUsers(2) as [string, string];
    const url = cluster.url();
    await mutualConversation(url, alice, bob);
    const [atAlice, atBob] = await Promise.all([cluster.connect(alice, 1), cluster.connect(bob, 0)]);
    await expect.poll(() => presenceOf(atAlice, bob)).toEqual(seenAs(bob, 'online'));
    await put(url, bob, 'blocks', alice);
    for (const [viewer, other] of [
      [atAlice, bob],
      [atBob, alice],
    ] as const) {
      await expect.poll(() => presenceOf(viewer, other)).toEqual(hidden(other));
      viewer.forget();
    }
    await atAlice.ask('user-online', { status: 'away' });
    await atBob.ask('user-online', { status: 'away' });
    expect((await rest(cluster.url(1), bob, 'DELETE', `/v1/me/blocks/${alice}`)).status).toBe(204);
    await expect.poll(() => presenceOf(atAlice, bob)).toEqual(seenAs(bob, 'away'));
    await expect.poll(() => presenceOf(atBob, alice)).toEqual(seenAs(alice, 'away'));
    await atBob.ask('user-offline');
    await atAlice.waitFor('user-offline');
    await atAlice.ask('user-offline');
    await atBob.waitFor('user-offline');
    expect([...atAlice.of('user-online'), ...atBob.of('user-online')]).toEqual([]);
  });

  it('reaches nobody through a group he has left', async () => {
    const [alice, bob] = someUsers(2) as [string, string];
    const id = await groupConversation(cluster.url(), alice, [bob]);
    const [atAlice, atBob] = await Promise.all([cluster.connect(alice, 0), cluster.connect(bob, 1)]);
    await atBob.ask('subscribe-presence', [alice]);
    await atAlice.ask('user-online', { status: 'away' });
    await atBob.waitFor('user-online', ({ status }: Presence) => status === 'away');
    await rest(cluster.url(), alice, 'DELETE', `/v1/conversations/${id}/participants/${bob}`);
    await atBob.waitFor('participant-removed');
    atBob.forget();
    await atAlice.ask('user-online', { status: 'online' });
    await atAlice.ask('user-offline');
    expect(await presenceOf(atBob, alice)).toEqual(hidden(alice));
    expect([...atBob.of('user-online'), ...atBob.of('user-offline')]).toEqual([]);
  });
});

/**
 * Two worlds that differ only in what Alice may not know: what she sees must not differ. Alice and
 * Carol are on node 1. Bob is Alice's peer in a direct conversation and in a group; Erin and Dave
 * are strangers to her, and Carol a contact of theirs and Bob's. Each world is a cluster of its
 * own.
 */
describe('what one may not know', () => {
  interface World {
    cluster: TestCluster;
    url: string;
    direct: string;
    group: string;
    carol: TestClient;
  }
  type Secret = (world: World) => Promise<void>;

  const nothing: Secret = () => Promise.resolve();

  const strangerComesAndGoes: Secret = async ({ cluster, carol }) => {
    const erin = await cluster.connect('erin', 0);
    await carol.waitFor('user-online', ({ userId }: Presence) => userId === 'erin');
    await erin.ask('user-online', { status: 'away' });
    erin.close();
    await carol.waitFor('user-offline', ({ userId }: Presence) => userId === 'erin');
  };

  const peerBlocks: Secret = async ({ cluster, url, carol }) => {
    await put(url, 'bob', 'blocks', 'alice');
    const bob = await cluster.connect('bob', 0, { ackMode: 'manual' });
    await carol.waitFor('user-online', ({ userId }: Presence) => userId === 'bob');
    await bob.ask('user-online', { status: 'away' });
    bob.close();
    await carol.waitFor('user-offline', ({ userId }: Presence) => userId === 'bob');
  };

  const peerTypesBehindBlock: Secret = async ({ cluster, url, direct, group, carol }) => {
    await put(url, 'bob', 'blocks', 'alice');
    await carol.ask('join-conversation', group);
    const bob = await cluster.connect('bob', 0, { ackMode: 'manual' });
    await bob.ask('typing-start', { conversationId: direct });
    await bob.ask('typing-start', { conversationId: group });
    await carol.waitFor('user-typing', ({ isTyping }: { isTyping: boolean }) => isTyping);
    await bob.ask('typing-stop', { conversationId: group });
    await carol.waitFor('user-typing', ({ isTyping }: { isTyping: boolean }) => !isTyping);
    await bob.ask('typing-start', { conversationId: group });
  };

  const peerHides: Secret = async ({ cluster, url }) => {
    await setPrivacy(url, 'bob', { online: 'nobody', lastSeen: 'everyone' });
    const bob = await cluster.connect('bob', 0, { ackMode: 'manual' });
    await bob.ask('user-online', { status: 'away' });
    await bob.ask('get-presence', ['alice']);
    bob.close();
  };

  /** Bob, whom nobody sees, gets what Alice wrote, and perhaps reads it. */
  const peerGets =
    (verb: 'mark-read' | 'mark-delivered'): Secret =>
    async ({ cluster, url, direct }) => {
      await setPrivacy(url, 'bob', { online: 'nobody', readReceipts: false });
      const bob = await cluster.connect('bob', 0, { ackMode: 'manual' });
      await bob.ask(verb, { conversationId: direct, seq: 1 });
      bob.close();
    };

  /** When this is through, so is whatever node 0 announced before. */
  async function settle({ cluster, carol }: World, alice: TestClient): Promise<void> {
    const dave = await cluster.connect('dave', 0);
    await carol.waitFor('user-online', ({ userId }: Presence) => userId === 'dave');
    dave.close();
    await carol.waitFor('user-offline', ({ userId }: Presence) => userId === 'dave');
    await alice.ask('heartbeat');
  }

  async function build(): Promise<World> {
    const cluster = await TestCluster.start({ settings });
    const url = cluster.url();
    for (const friend of ['bob', 'dave', 'erin']) {
      await put(url, friend, 'contacts', 'carol');
      await put(url, 'carol', 'contacts', friend);
    }
    const direct = await directConversation(url, 'bob', 'alice');
    const group = await groupConversation(url, 'alice', ['bob', 'carol']);
    const carol = await cluster.connect('carol', 1, { ackMode: 'manual' });
    await carol.ask('join-conversation', group);
    return { cluster, url, direct, group, carol };
  }

  /** Everything Alice hears and is answered, over socket and REST. */
  async function trafficOfAlice(secret: Secret): Promise<string> {
    const world = await build();
    try {
      const alice = await world.cluster.connect('alice', 1, { ackMode: 'manual' });
      const answers: unknown[] = [];
      const ask = async (event: string, payload?: unknown): Promise<void> => {
        const args = payload === undefined ? [] : [payload];
        answers.push([event, await alice.socket.timeout(5_000).emitWithAck(event, ...args)]);
      };
      const get = async (path: string): Promise<void> => {
        const { status, body } = await rest(world.cluster.url(1), 'alice', 'GET', path);
        answers.push([path, status, body]);
      };
      const look = async (): Promise<void> => {
        const userIds = ['bob', 'erin', 'nobody-at-all'];
        await ask('subscribe-presence', { userIds });
        await ask('get-presence', { userIds });
        await get(`/v1/presence?userIds=${userIds.join(',')}`);
        for (const conversationId of [world.direct, world.group]) {
          await ask('join-conversation', { conversationId });
          await ask('get-typing-users', { conversationId });
          await get(`/v1/conversations/${conversationId}`);
        }
        await ask('sync', { since: null });
        await get('/v1/conversations');
        await get('/v1/me/contacts');
      };
      await ask('send-message', { conversationId: world.direct, content: { text: 'Are you there?' } });
      const messageId = (answers[0] as [string, { data: { message: { id: string } } }])[1].data.message.id;
      await look();
      await secret(world);
      await settle(world, alice);
      await look();
      await ask('get-message-status', { messageId });
      await ask('typing-start', { conversationId: world.group });
      await ask('typing-stop', { conversationId: world.group });
      return comparable({ answers, heard: alice.heard });
    } finally {
      await world.cluster.stop();
    }
  }

  const theirOwn = new Set(['requestId', 'sessionId', 'serverTime', 'syncToken', 'next']);

  /**
   * What differs from world to world for reasons of its own, such as ids and times, by its place.
   */
  function comparable(traffic: unknown): string {
    const ids = new Map<string, string>();
    const named = (id: string): string => ids.get(id) ?? ids.set(id, `<id ${ids.size}>`).get(id)!;
    return JSON.stringify(traffic, (key, value: unknown) => (theirOwn.has(key) ? `<${key}>` : value), 1)
      .replace(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, named)
      .replace(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/g, '<time>');
  }

  let plain: Promise<string>;
  beforeAll(() => {
    plain = trafficOfAlice(nothing);
    return plain;
  });

  it('is not whether a stranger is there', async () => {
    expect(await trafficOfAlice(strangerComesAndGoes)).toBe(await plain);
  });

  it('is not what somebody does who blocks one', async () => {
    expect(await trafficOfAlice(peerBlocks)).toBe(await plain);
  });

  it('is not what somebody types who blocks one', async () => {
    expect(await trafficOfAlice(peerTypesBehindBlock)).toBe(await plain);
  });

  it('is not whether somebody is there who hides it', async () => {
    expect(await trafficOfAlice(peerHides)).toBe(await plain);
  });

  it('is not whether somebody has read who keeps that to himself', async () => {
    const [read, delivered] = [
      await trafficOfAlice(peerGets('mark-read')),
      await trafficOfAlice(peerGets('mark-delivered')),
    ];
    expect(read).toBe(delivered);
    expect(read).toContain('message-delivered');
    expect(read).not.toBe(await plain);
  });
});
