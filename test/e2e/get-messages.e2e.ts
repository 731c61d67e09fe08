import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Message } from '../../src/common/index.js';
import { rest, type TestClient } from '../support/client.js';
import { TestCluster } from '../support/cluster.js';
import { directConversation, groupConversation } from '../support/conversations.js';

const seqsOf = (messages: Message[]) => messages.map((message) => message.seq);
const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => from + i);

describe('get-messages', () => {
  let cluster: TestCluster;
  let conversationId: string;
  let alice: TestClient;

  beforeAll(async () => {
    cluster = await TestCluster.start({ redis: false });
    conversationId = await directConversation(cluster.url(), 'alice', 'bob');
    alice = await cluster.connect('alice');
    for (let i = 1; i <= 120; i++) await alice.ask('send-message', { conversationId, content: { text: `${i}` } });
  });

  afterAll(() => cluster.stop());

  it('answers the newest 50 without a cursor, ascending, also for a bare id', async () => {
    const page = await alice.ask('get-messages', conversationId);
    expect(seqsOf(page.messages)).toEqual(range(71, 120));
    expect(page.hasMore).toBe(true);
    expect(await alice.ask('get-messages', { conversationId })).toEqual(page);
  });

  it('pages back to the beginning and forth to the end without a hole', async () => {
    const older = await alice.ask('get-messages', { conversationId, beforeSeq: 71, limit: 70 });
    expect([seqsOf(older.messages), older.hasMore]).toEqual([range(1, 70), false]);
    const newer = await alice.ask('get-messages', { conversationId, afterSeq: 0, limit: 100 });
    expect([seqsOf(newer.messages), newer.hasMore]).toEqual([range(1, 100), true]);
    const rest = await alice.ask('get-messages', { conversationId, afterSeq: 100, limit: 20 });
    expect([seqsOf(rest.messages), rest.hasMore]).toEqual([range(101, 120), false]);
  });

  it('answers the same over REST', async () => {
    const path = `/v1/conversations/${conversationId}/messages`;
    const { status, body } = await rest(cluster.url(), 'bob', 'GET', `${path}?beforeSeq=11&limit=3`);
    expect(status).toBe(200);
    expect([seqsOf(body.items), body.hasMore]).toEqual([range(8, 10), true]);
    expect((await rest(cluster.url(), 'bob', 'GET', `${path}?limit=many`)).status).toBe(400);
    expect((await rest(cluster.url(), 'bob', 'GET', `${path}?page=2`)).status).toBe(400);
    expect((await rest(cluster.url(), 'stranger', 'GET', path)).status).toBe(404);
  });

  it.each([
    ['both cursors', { beforeSeq: 5, afterSeq: 1 }],
    ['a limit above 200', { limit: 201 }],
    ['a limit of 0', { limit: 0 }],
    ['a cursor that is no number', { beforeSeq: '5' }],
    ['a negative cursor', { afterSeq: -1 }],
    ['an unknown property', { page: 2 }],
  ])('refuses %s', async (_what, page) => {
    expect((await alice.refused('get-messages', { conversationId, ...page })).code).toBe('VALIDATION_FAILED');
  });

  it('shows a newcomer nothing from before, and somebody who left nothing at all', async () => {
    const group = await groupConversation(cluster.url(), 'alice', ['bob']);
    await alice.ask('send-message', { conversationId: group, content: { text: 'before' } });
    await rest(cluster.url(), 'alice', 'POST', `/v1/conversations/${group}/participants`, { userIds: ['carol'] });
    await alice.ask('send-message', { conversationId: group, content: { text: 'after' } });
    const carol = await cluster.connect('carol');
    expect(seqsOf((await carol.ask('get-messages', group)).messages)).toEqual([2]);
    await rest(cluster.url(), 'carol', 'DELETE', `/v1/conversations/${group}/participants/carol`);
    expect((await carol.refused('get-messages', group)).code).toBe('NOT_FOUND');
    expect(
      (await carol.refused('send-message', { conversationId: group, content: { text: 'still here?' } })).code,
    ).toBe('NOT_FOUND');
    await alice.ask('send-message', { conversationId: group, content: { text: 'gone' } });
    expect(seqsOf(carol.of<Message>('new-message'))).not.toContain(3);
  });
});
