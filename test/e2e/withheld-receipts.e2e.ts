import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Conversation, Message, Participant } from '../../src/common/index.js';
import { unmarked, wearMarks } from '../support/activity-marks.js';
import { rest, type TestClient } from '../support/client.js';
import { TestCluster } from '../support/cluster.js';
import { directConversation, groupConversation } from '../support/conversations.js';
import { manually, receiptsHeardBy, send, someUsers } from '../support/receipts.js';

let cluster: TestCluster;
beforeAll(async () => {
  cluster = await TestCluster.start();
});
afterAll(() => cluster?.stop());

async function call<T>(userId: string, method: string, path: string, body?: unknown, node = 0): Promise<T> {
  const answer = await rest<T>(cluster.url(node), userId, method, path, body);
  if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
  return answer.body;
}
const block = (userId: string, blockedId: string): Promise<unknown> =>
  call(userId, 'PUT', `/v1/me/blocks/${blockedId}`);
const unblock = (userId: string, blockedId: string): Promise<unknown> =>
  call(userId, 'DELETE', `/v1/me/blocks/${blockedId}`);

/** Alice blocks Bob, or Bob blocks Alice. */
const blockBy = (who: 'alice' | 'bob', alice: string, bob: string): Promise<unknown> =>
  who === 'alice' ? block(alice, bob) : block(bob, alice);

type Cursors = [deliveredSeq: number, readSeq: number] | undefined;
interface Sync {
  conversations: Conversation[];
  receipts: { conversationId: string; userId: string; deliveredSeq: number; readSeq: number }[];
  next: string;
  hasMore: boolean;
}

function cursorsIn({ participants }: Conversation, userId: string): Cursors {
  const found = participants.find((participant) => participant.userId === userId);
  return found && [found.deliveredSeq, found.readSeq];
}

/** Alice on node 0, Bob and Carol on node 1; all have joined the group, and nobody acks by itself. */
async function scene() {
  const { alice: a, bob: b, carol: c } = someUsers('alice', 'bob', 'carol');
  const direct = await directConversation(cluster.url(), a, b);
  const group = await groupConversation(cluster.url(), a, [b, c]);
  const alice = await cluster.connect(a, 0, manually);
  const [bob, carol] = [await cluster.connect(b, 1, manually), await cluster.connect(c, 1, manually)];
  for (const client of [alice, bob, carol]) await client.ask('join-conversation', group);
  for (const client of [alice, bob]) await client.ask('join-conversation', direct);
  let fences = 0;
  /** Receipts of one node are told in order: whatever Alice and Bob hear of each other came before. */
  const settle = async (): Promise<void> => {
    fences += 1;
    const [fence] = await send(carol, group);
    await carol.ask('mark-read', { conversationId: group, seq: fence!.seq });
    for (const client of [alice, bob]) {
      await client.waitFor('messages-read', ({ userId, readSeq }) => userId === c && readSeq === fence!.seq);
    }
  };
  return { a, b, c, alice, bob, carol, direct, group, settle, fences: () => fences };
}

/** The cursors of a user as another sees them, by every way there is to see them; they must agree. */
async function seenBy(viewer: TestClient, node: number, conversationId: string, userId: string): Promise<Cursors> {
  const path = `/v1/conversations/${conversationId}`;
  const own = await call<Conversation>(viewer.userId, 'GET', path, undefined, node);
  const list = await call<{ items: Conversation[] }>(viewer.userId, 'GET', '/v1/conversations', undefined, node + 1);
  const joined = await viewer.ask<{ conversation: Conversation }>('join-conversation', conversationId);
  const synced = await viewer.ask<Sync>('sync', { since: null });
  const views = [own, joined.conversation, ...list.items, ...synced.conversations];
  const seen = views.filter(({ id }) => id === conversationId).map((view) => cursorsIn(view, userId));
  expect(seen).toEqual(Array(4).fill(seen[0]));
  const receipt = synced.receipts.find((one) => one.conversationId === conversationId && one.userId === userId);
  const isNothing = seen[0]!.every((cursor) => cursor === 0);
  expect(receipt && [receipt.deliveredSeq, receipt.readSeq]).toEqual(isNothing ? undefined : seen[0]);
  return seen[0];
}

interface Status {
  status: string;
  deliveredTo: string[];
  readBy: string[];
}

/** The status of a message, over the socket and over REST; they must agree. */
async function statusFor(viewer: TestClient, messageId: string): Promise<Status> {
  const answer = await viewer.ask('get-message-status', messageId);
  for (const node of [0, 1]) {
    expect(await call(viewer.userId, 'GET', `/v1/messages/${messageId}/status`, undefined, node)).toEqual(answer);
  }
  const ids = (marks: { userId: string }[]): string[] => marks.map(({ userId }) => userId).sort();
  return { status: answer.status, deliveredTo: ids(answer.deliveredTo), readBy: ids(answer.readBy) };
}

const nothing: Status = { status: 'sent', deliveredTo: [], readBy: [] };

describe.each(['alice', 'bob'] as const)('a block by %s', (who) => {
  it('withholds the receipts of a direct conversation both ways, until it ends', async () => {
    const { a, b, alice, bob, direct, settle } = await scene();
    const [blocker, blocked] = who === 'alice' ? [a, b] : [b, a];
    const [first, second] = await send(alice, direct, 2);
    const [answer] = await send(bob, direct);
    await bob.ask('mark-read', { conversationId: direct, seq: 1 });
    await alice.ask('mark-delivered', { conversationId: direct, seq: 3 });
    expect([await seenBy(alice, 0, direct, b), await seenBy(bob, 1, direct, a)]).toEqual([
      [1, 1],
      [3, 0],
    ]);
    expect(await statusFor(alice, first!.id)).toEqual({ status: 'read', deliveredTo: [b], readBy: [b] });
    await settle();
    const before = await Promise.all([alice, bob].map((client) => client.ask<Sync>('sync', { since: null })));

    await block(blocker, blocked);
    for (const client of [alice, bob]) client.forget();
    await bob.ask('mark-delivered', { conversationId: direct, seq: 2 });
    await bob.ask('mark-read', { conversationId: direct, seq: 3 });
    await alice.ask('mark-read', { conversationId: direct, seq: 3 });
    await settle();
    expect([alice, bob].map((client) => ofOthers(client, a, b))).toEqual([[], []]);
    expect([await seenBy(alice, 0, direct, b), await seenBy(bob, 1, direct, a)]).toEqual([
      [0, 0],
      [0, 0],
    ]);
    expect([await seenBy(alice, 0, direct, a), await seenBy(bob, 1, direct, b)]).toEqual([
      [3, 3],
      [3, 3],
    ]);
    expect(await statusFor(alice, second!.id)).toEqual(nothing);
    expect(await statusFor(bob, answer!.id)).toEqual(nothing);
    const during = await changesSince(alice, before[0]!.next);
    expect(during.conversations.map((view) => view.id === direct && cursorsIn(view, b))).toContainEqual([0, 0]);
    expect(during.receipts.filter(({ userId }) => userId === b)).toEqual([]);

    await unblock(blocker, blocked);
    expect([await seenBy(alice, 0, direct, b), await seenBy(bob, 1, direct, a)]).toEqual([
      [3, 3],
      [3, 3],
    ]);
    expect(await statusFor(alice, second!.id)).toEqual({ status: 'read', deliveredTo: [b], readBy: [b] });
    const after = await changesSince(alice, during.next);
    const receipt = after.receipts.find(({ conversationId, userId }) => conversationId === direct && userId === b);
    expect(receipt).toMatchObject({ deliveredSeq: 3, readSeq: 3 });
    expect(after.conversations.map((view) => view.id === direct && cursorsIn(view, b))).toContainEqual([3, 3]);
    await send(alice, direct);
    await bob.ask('mark-read', { conversationId: direct, seq: 4 });
    await alice.waitFor('message-delivered', ({ userId, deliveredSeq }) => userId === b && deliveredSeq === 4);
    await alice.waitFor('messages-read', ({ userId, readSeq }) => userId === b && readSeq === 4);
  });

  it('withholds in a common group too, where both see the messages, and a third sees all', async () => {
    const { a, b, c, alice, bob, carol, group, settle } = await scene();
    await blockBy(who, a, b);
    for (const client of [alice, bob, carol]) client.forget();
    const [first] = await send(alice, group);
    await bob.waitFor<Message>('new-message', ({ id }) => id === first!.id);
    const [answer] = await send(bob, group);
    await alice.waitFor<Message>('new-message', ({ id }) => id === answer!.id);
    for (const client of [alice, bob]) await client.ask('mark-delivered', { conversationId: group, seq: 1 });
    expect(await statusFor(alice, first!.id)).toEqual(nothing);
    for (const client of [alice, bob]) await client.ask('mark-read', { conversationId: group, seq: 2 });
    await settle();
    expect([alice, bob].map((client) => ofOthers(client, a, b))).toEqual([[], []]);
    const heardOf = (userId: string) => receiptsHeardBy(carol).filter((receipt) => (receipt as string[])[1] === userId);
    for (const userId of [a, b]) {
      await expect.poll(() => heardOf(userId)).toContainEqual(['messages-read', userId, 2]);
      expect(heardOf(userId)).toContainEqual(['message-delivered', userId, 1]);
    }
    expect(await statusFor(alice, first!.id)).toEqual({ status: 'read', deliveredTo: [c], readBy: [c] });
    expect(await statusFor(bob, answer!.id)).toEqual({ status: 'read', deliveredTo: [c], readBy: [c] });
    expect(await statusFor(carol, first!.id)).toEqual({ status: 'read', deliveredTo: [b, c], readBy: [b, c] });
    expect([await seenBy(alice, 0, group, b), await seenBy(bob, 1, group, a)]).toEqual([
      [0, 0],
      [0, 0],
    ]);
    expect([await seenBy(carol, 1, group, a), await seenBy(carol, 0, group, b)]).toEqual([
      [2, 2],
      [2, 2],
    ]);
  });

  it('withholds where a conversation is shown unasked, and in the answer to a change of role', async () => {
    const { a, b, c, alice, bob, carol, group } = await scene();
    await send(carol, group);
    for (const client of [alice, bob]) await client.ask('mark-read', { conversationId: group, seq: 1 });
    await blockBy(who, a, b);
    const path = `/v1/conversations/${group}`;
    const changed = await call<Participant>(a, 'PATCH', `${path}/participants/${b}`, { role: 'admin' });
    expect(changed).toMatchObject({ userId: b, role: 'admin', deliveredSeq: 0, readSeq: 0 });
    await call(a, 'PATCH', path, { title: 'New' });
    const shownTo = async (client: TestClient): Promise<Conversation> =>
      client.waitFor('conversation-updated', ({ title }: Conversation) => title === 'New');
    const [atAlice, atBob, atCarol] = [await shownTo(alice), await shownTo(bob), await shownTo(carol)];
    expect([a, b, c].map((userId) => cursorsIn(atAlice, userId))).toEqual([
      [1, 1],
      [0, 0],
      [0, 0],
    ]);
    expect([a, b].map((userId) => cursorsIn(atBob, userId))).toEqual([
      [0, 0],
      [1, 1],
    ]);
    expect([a, b].map((userId) => cursorsIn(atCarol, userId))).toEqual([
      [1, 1],
      [1, 1],
    ]);
  });
});

/** The receipts of these two that a client has heard, but for its own. */
function ofOthers(client: TestClient, ...userIds: string[]): unknown[] {
  const others = userIds.filter((userId) => userId !== client.userId);
  return receiptsHeardBy(client).filter((receipt) => others.includes((receipt as string[])[1]!));
}

async function changesSince(client: TestClient, since: string): Promise<Sync> {
  const page = await client.ask<Sync>('sync', { since });
  expect(page.hasMore).toBe(false);
  return page;
}

it('a block of two tells a third nothing, who syncs', async () => {
  const { a, b, alice, bob, carol, group, settle } = await scene();
  await send(carol, group);
  for (const client of [alice, bob]) await client.ask('mark-read', { conversationId: group, seq: 1 });
  await settle();
  const { next } = await carol.ask<Sync>('sync', { since: null });
  await block(a, b);
  expect(await changesSince(carol, next)).toMatchObject({ conversations: [], receipts: [] });
  expect((await changesSince(bob, next)).conversations.map(({ id }) => id)).toContain(group);
});

it('a block and its end are part of the next sync of both, also long after the last change', async () => {
  const { a, b, alice, bob, direct, group } = await scene();
  const sql = new pg.Client({ connectionString: cluster.database.url });
  await sql.connect();
  try {
    for (const change of [block, unblock]) {
      const before = await Promise.all([alice, bob].map((client) => client.ask<Sync>('sync', { since: null })));
      for (const id of [direct, group]) await wearMarks(sql, id);
      await change(b, a);
      expect(await unmarked(sql)).toEqual([]);
      for (const [i, client] of [alice, bob].entries()) {
        const { conversations } = await changesSince(client, before[i]!.next);
        expect(conversations.map(({ id }) => id).sort()).toEqual([direct, group].sort());
      }
    }
  } finally {
    await sql.end();
  }
});
