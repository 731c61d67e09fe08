import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Message, Page } from '../../src/common/index.js';
import type { ListedUser } from '../../src/users/index.js';
import { rest, type RestAnswer, type TestClient } from '../support/client.js';
import { TestCluster } from '../support/cluster.js';
import { directConversation, groupConversation } from '../support/conversations.js';

let cluster: TestCluster;
beforeAll(async () => {
  cluster = await TestCluster.start({ settings: { maxBlocks: 3 } });
});
afterAll(async () => {
  await cluster?.stop();
});

/** User ids nobody else has. */
function someUsers(count: number): string[] {
  return Array.from({ length: count }, (_, i) => `user-${i}-${randomUUID().slice(0, 8)}`);
}

const call = <T>(userId: string, method: string, path = '', node = 0): Promise<RestAnswer<T>> =>
  rest<T>(cluster.url(node), userId, method, `/v1/me/blocks${path}`);
const block = (userId: string, blockedId: string, node = 0): Promise<RestAnswer> =>
  call(userId, 'PUT', `/${encodeURIComponent(blockedId)}`, node);
const unblock = (userId: string, blockedId: string, node = 0): Promise<RestAnswer> =>
  call(userId, 'DELETE', `/${encodeURIComponent(blockedId)}`, node);
const send = (from: TestClient, conversationId: string, text = 'hello'): Promise<{ message: Message }> =>
  from.ask('send-message', { conversationId, content: { text } });
const sendRefused = async (from: TestClient, conversationId: string): Promise<string> =>
  (await from.refused('send-message', { conversationId, content: { text: 'hello' } })).code;

describe('the list', () => {
  it('takes users in and out, and shows them to their owner only', async () => {
    const [alice, bob, carol] = someUsers(3) as [string, string, string];
    expect((await block(alice, bob)).status).toBe(204);
    expect((await block(alice, bob, 1)).status).toBe(204);
    await block(alice, carol);
    const first = (await call<Page<ListedUser>>(alice, 'GET', '?limit=1', 1)).body;
    expect(first.items).toEqual([{ userId: bob, createdAt: expect.stringMatching(/^\d{4}-.*Z$/) }]);
    const second = (await call<Page<ListedUser>>(alice, 'GET', `?cursor=${first.nextCursor}`)).body;
    expect(second).toEqual({ items: [{ userId: carol, createdAt: expect.any(String) }], nextCursor: null });
    expect((await call(bob, 'GET')).body).toEqual({ items: [], nextCursor: null });
    expect((await unblock(alice, carol, 1)).status).toBe(204);
    expect((await unblock(alice, carol)).status).toBe(404);
    expect((await unblock(bob, alice)).status).toBe(404);
  });

  it('refuses oneself, what no user id is, and more than the limit', async () => {
    const [alice, ...others] = someUsers(5) as [string, ...string[]];
    expect((await block(alice, alice)).status).toBe(400);
    expect((await block(alice, 'x'.repeat(129))).status).toBe(400);
    const answers = await Promise.all(others.map((other, i) => block(alice, other, i)));
    expect(answers.map(({ status }) => status).sort()).toEqual([204, 204, 204, 409]);
  });
});

describe('a block', () => {
  it('stops direct messages both ways on every node, until it ends', async () => {
    const [alice, bob] = someUsers(2) as [string, string];
    const id = await directConversation(cluster.url(), alice, bob);
    const [atAlice, atBob] = await Promise.all([cluster.connect(alice, 0), cluster.connect(bob, 1)]);
    await send(atBob, id);
    await block(alice, bob, 0);
    expect(await sendRefused(atBob, id)).toBe('FORBIDDEN');
    expect(await sendRefused(atAlice, id)).toBe('FORBIDDEN');
    expect(
      (await rest(cluster.url(), bob, 'POST', `/v1/conversations/${id}/messages`, { content: {} })).status,
    ).not.toBe(201);
    await unblock(alice, bob, 1);
    expect((await send(atBob, id)).message.seq).toBe(2);
    expect((await send(atAlice, id)).message.seq).toBe(3);
  });

  it('leaves groups alone', async () => {
    const [alice, bob] = someUsers(2) as [string, string];
    const id = await groupConversation(cluster.url(), alice, [bob]);
    const [atAlice, atBob] = await Promise.all([cluster.connect(alice, 0), cluster.connect(bob, 1)]);
    await block(alice, bob);
    await send(atBob, id, 'still here');
    expect((await atAlice.waitFor<Message>('new-message')).content).toEqual({ text: 'still here' });
  });

  it('lets nothing through once it is answered, however many are sending', async () => {
    const [alice, bob] = someUsers(2) as [string, string];
    const id = await directConversation(cluster.url(), alice, bob);
    const atBob = await cluster.connect(bob, 1);
    await send(atBob, id);
    let isAnswered = false;
    const attempts: Promise<boolean>[] = [];
    const blocking = block(alice, bob).then(() => (isAnswered = true));
    while (!isAnswered) {
      attempts.push(
        send(atBob, id).then(
          () => true,
          () => false,
        ),
      );
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    await blocking;
    const { body } = await rest<{ lastSeq: number }>(cluster.url(), alice, 'GET', `/v1/conversations/${id}`);
    const accepted = (await Promise.all(attempts)).filter(Boolean).length;
    const after = await rest<{ lastSeq: number }>(cluster.url(), alice, 'GET', `/v1/conversations/${id}`);
    expect(after.body.lastSeq).toBe(body.lastSeq);
    expect(after.body.lastSeq).toBe(accepted + 1);
  });

  it.each(['blocker', 'blocked'])('lets the %s read and delete directly, and change nothing else', async (who) => {
    const [alice, bob] = someUsers(2) as [string, string];
    const id = await directConversation(cluster.url(), alice, bob);
    const [atAlice, atBob] = await Promise.all([
      cluster.connect(alice, 0, { ackMode: 'manual' }),
      cluster.connect(bob, 1, { ackMode: 'manual' }),
    ]);
    for (const client of [atAlice, atBob]) await client.ask('join-conversation', id);
    const own = [await send(atAlice, id), await send(atAlice, id)].map(({ message }) => message.id);
    const [theirs] = [await send(atBob, id)].map(({ message }) => message.id);
    await atAlice.ask('add-reaction', { messageId: own[0], emoji: '👍' });
    await (who === 'blocker' ? block(alice, bob) : block(bob, alice));

    const refused: [event: string, payload: object][] = [
      ['send-message', { conversationId: id, content: { text: 'hi' } }],
      ['edit-message', { messageId: own[0], content: { text: 'hi' } }],
      ['add-reaction', { messageId: theirs, emoji: '👍' }],
      ['remove-reaction', { messageId: own[0], emoji: '👍' }],
    ];
    for (const [event, payload] of refused) expect((await atAlice.refused(event, payload)).code).toBe('FORBIDDEN');
    const routes: [method: string, path: string, body?: object][] = [
      ['POST', `/v1/conversations/${id}/messages`, { content: { text: 'hi' } }],
      ['PATCH', `/v1/messages/${own[0]}`, { content: { text: 'hi' } }],
      ['PUT', `/v1/messages/${theirs}/reactions/%F0%9F%91%8D`],
      ['DELETE', `/v1/messages/${own[0]}/reactions/%F0%9F%91%8D`],
    ];
    for (const [method, path, body] of routes) {
      expect([path, (await rest(cluster.url(1), alice, method, path, body)).status]).toEqual([path, 403]);
    }

    atBob.forget();
    await atAlice.ask('typing-start', { conversationId: id });
    expect((await atAlice.ask('get-messages', { conversationId: id })).messages).toHaveLength(3);
    await atAlice.ask('mark-read', { conversationId: id, seq: 3 });
    await atAlice.ask('join-conversation', id);
    await atAlice.ask('delete-message', { messageId: theirs, scope: 'me' });
    await atAlice.ask('delete-message', { messageId: own[0] });
    const opened = { kind: 'direct', participantIds: [bob] };
    expect((await rest(cluster.url(1), alice, 'POST', '/v1/conversations', opened)).status).toBe(200);
    await atBob.waitFor('message-deleted', ({ messageId }) => messageId === own[0]);
    expect(atBob.heard.map(({ event }) => event)).toEqual(['message-deleted']);
  });

  it('is not told to the other', async () => {
    const [alice, bob] = someUsers(2) as [string, string];
    await directConversation(cluster.url(), alice, bob);
    const atBob = await cluster.connect(bob, 1);
    const before = (await rest(cluster.url(1), bob, 'GET', '/v1/me/contacts')).body;
    atBob.forget();
    await block(alice, bob);
    await atBob.ask('heartbeat');
    expect((await rest(cluster.url(1), bob, 'GET', '/v1/me/contacts')).body).toEqual(before);
    expect(atBob.heard.map(({ event }) => event).filter((event) => event !== 'heartbeat-ack')).toEqual([]);
  });

  it('ends typing that goes on, once, and keeps what comes later from both', async () => {
    const [alice, bob] = someUsers(2) as [string, string];
    const conversationId = await directConversation(cluster.url(), alice, bob);
    const [atAlice, atBob] = await Promise.all([cluster.connect(alice, 0), cluster.connect(bob, 1)]);
    for (const client of [atAlice, atBob]) await client.ask('join-conversation', { conversationId });
    await atBob.ask('typing-start', { conversationId });
    await atAlice.waitFor('user-typing');
    await block(alice, bob);
    await atAlice.waitFor('user-typing', ({ isTyping }: { isTyping: boolean }) => !isTyping);
    await atBob.ask('typing-stop', { conversationId });
    await atBob.ask('typing-start', { conversationId });
    await atAlice.ask('typing-start', { conversationId });
    for (const client of [atAlice, atBob]) {
      expect((await client.ask('get-typing-users', { conversationId })).userIds).toEqual([client.userId]);
    }
    await unblock(alice, bob);
    const typing = async () => (await atBob.ask('get-typing-users', { conversationId })).userIds as string[];
    await expect.poll(async () => (await typing()).sort()).toEqual([alice, bob].sort());
    await atBob.ask('typing-stop', { conversationId });
    await atBob.ask('typing-start', { conversationId });
    await atAlice.waitForCount('user-typing', 4);
    expect(atAlice.of('user-typing').map(({ isTyping }) => isTyping)).toEqual([true, false, false, true]);
  });
});
