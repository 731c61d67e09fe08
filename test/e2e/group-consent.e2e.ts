import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Conversation } from '../../src/common/index.js';
import type { Audience } from '../../src/users/index.js';
import { rest, type Heard, type RestAnswer } from '../support/client.js';
import { TestCluster } from '../support/cluster.js';
import { directConversation, groupConversation } from '../support/conversations.js';
import { manually, someUsers } from '../support/receipts.js';

let cluster: TestCluster;
beforeAll(async () => {
  cluster = await TestCluster.start({ settings: { maxGroupSize: 4 } });
});
afterAll(() => cluster?.stop());

const call = <T>(userId: string, method: string, path: string, body?: unknown, node = 0): Promise<RestAnswer<T>> =>
  rest<T>(cluster.url(node), userId, method, path, body);
const create = (userId: string, participantIds: string[]): Promise<RestAnswer<Conversation>> =>
  call<Conversation>(userId, 'POST', '/v1/conversations', { kind: 'group', participantIds }, 1);
const add = (userId: string, id: string, userIds: string[]): Promise<RestAnswer<Conversation>> =>
  call<Conversation>(userId, 'POST', `/v1/conversations/${id}/participants`, { userIds }, 1);
const block = (userId: string, blockedId: string): Promise<RestAnswer> =>
  call(userId, 'PUT', `/v1/me/blocks/${blockedId}`);
const choose = (userId: string, groups: Audience): Promise<RestAnswer> =>
  call(userId, 'PATCH', '/v1/me', { privacy: { groups } });
const write = (userId: string, id: string): Promise<RestAnswer> =>
  call(userId, 'POST', `/v1/conversations/${id}/messages`, { content: { text: 'hello' } });

interface Cast {
  /** Who is asked in. */
  user: string;
  caller: string;
  third: string;
}

interface Tie {
  what: string;
  isContact: boolean;
  make: (cast: Cast) => Promise<unknown>;
}

const ties: Tie[] = [
  { what: 'has nothing to do with the caller', isContact: false, make: () => Promise.resolve() },
  {
    what: 'has added the caller as a contact',
    isContact: true,
    make: ({ user, caller }) => call(user, 'PUT', `/v1/me/contacts/${caller}`),
  },
  {
    what: 'was added as a contact by the caller',
    isContact: false,
    make: ({ user, caller }) => call(caller, 'PUT', `/v1/me/contacts/${user}`),
  },
  {
    what: 'has opened the direct conversation',
    isContact: true,
    make: ({ user, caller }) => directConversation(cluster.url(), user, caller),
  },
  {
    what: 'was written to by the caller',
    isContact: false,
    make: async ({ user, caller }) => write(caller, await directConversation(cluster.url(), caller, user)),
  },
  {
    what: 'has answered the caller',
    isContact: true,
    make: async ({ user, caller }) => write(user, await directConversation(cluster.url(), caller, user)),
  },
  {
    what: 'has sent in a common group',
    isContact: false,
    make: async ({ user, caller, third }) => write(user, await groupConversation(cluster.url(), third, [user, caller])),
  },
];

describe.each(ties)('a user who $what', ({ isContact, make }) => {
  it.each<[Audience, boolean]>([
    ['everyone', true],
    ['contacts', isContact],
    ['nobody', false],
  ])('and lets in %s: is in the group, or left out of it in silence', async (groups, isIn) => {
    const cast = someUsers('user', 'caller', 'third');
    const { user, caller, third } = cast;
    await make(cast);
    expect((await choose(user, groups)).status).toBe(200);
    const atUser = await cluster.connect(user, 0, manually);
    const made = await create(caller, [user, third]);
    expect([made.status, idsOf(made.body)]).toEqual([201, (isIn ? [caller, third, user] : [caller, third]).sort()]);
    const later = await create(caller, [third]);
    const added = await add(caller, later.body.id, [user, third]);
    expect([added.status, idsOf(added.body), added.body.participantCount]).toEqual([
      201,
      idsOf(made.body),
      isIn ? 3 : 2,
    ]);
    if (isIn) await atUser.waitForCount('conversation-created', 2);
    const mine = await call<{ items: Conversation[] }>(user, 'GET', '/v1/conversations');
    const groupIds = mine.body.items.map(({ id }) => id);
    for (const { id } of [made.body, later.body]) expect(groupIds.includes(id)).toBe(isIn);
    await write(caller, made.body.id);
    await atUser.ask('heartbeat');
    const ids = [made.body.id, later.body.id];
    const isOfGroup = ({ payload }: Heard) => ids.includes(payload.id) || ids.includes(payload.conversationId);
    expect(atUser.heard.some(isOfGroup)).toBe(isIn);
  });
});

const idsOf = ({ participants }: Conversation): string[] => participants.map(({ userId }) => userId).sort();

describe('a block', () => {
  it.each(['blocker', 'blocked'] as const)('keeps the other out of the groups of the %s', async (who) => {
    const { blocker, blocked, third } = someUsers('blocker', 'blocked', 'third');
    await directConversation(cluster.url(), blocker, blocked);
    await block(blocker, blocked);
    const [caller, other] = who === 'blocker' ? [blocker, blocked] : [blocked, blocker];
    const made = await create(caller, [other, third]);
    expect([made.status, idsOf(made.body)]).toEqual([201, [caller, third].sort()]);
    const again = await add(caller, made.body.id, [other]);
    expect([again.status, idsOf(again.body)]).toEqual([201, [caller, third].sort()]);
    const byThird = await create(third, [blocker, blocked]);
    expect(idsOf(byThird.body)).toEqual([blocker, blocked, third].sort());
    await call(blocker, 'DELETE', `/v1/me/blocks/${blocked}`);
    expect(idsOf((await add(caller, made.body.id, [other])).body)).toEqual([caller, other, third].sort());
  });

  it('keeps out who has left, and leaves alone who stays', async () => {
    const { owner, user, friend } = someUsers('owner', 'user', 'friend');
    const { id } = (await create(owner, [user, friend])).body;
    await block(user, owner);
    expect(idsOf((await add(owner, id, [user])).body)).toEqual([owner, user, friend].sort());
    await call(user, 'DELETE', `/v1/conversations/${id}/participants/${user}`);
    expect(idsOf((await add(owner, id, [user])).body)).toEqual([owner, friend].sort());
    await call(owner, 'PATCH', `/v1/conversations/${id}/participants/${friend}`, { role: 'admin' });
    expect(idsOf((await add(friend, id, [user])).body)).toEqual([owner, user, friend].sort());
  });
});

it('who is left out takes no place in a full group', async () => {
  const { owner, one, two, three, shy } = someUsers('owner', 'one', 'two', 'three', 'shy');
  await choose(shy, 'nobody');
  const { id } = (await create(owner, [one, two])).body;
  expect((await add(owner, id, [shy, three])).body.participantCount).toBe(4);
  expect((await add(owner, id, [shy])).status).toBe(201);
  expect((await add(owner, id, ['somebody-else'])).status).toBe(409);
});
