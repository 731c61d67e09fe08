import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { rest } from '../support/client.js';
import { TestCluster } from '../support/cluster.js';
import { directConversation, groupConversation } from '../support/conversations.js';
import { manually, send, someUsers } from '../support/receipts.js';

interface Mark {
  userId: string;
  at: string;
}

interface Status {
  messageId: string;
  status: string;
  deliveredTo: Mark[];
  readBy: Mark[];
  participantCount: number;
}

const idsOf = (marks: Mark[]) => marks.map(({ userId }) => userId).sort();

describe('get-message-status', () => {
  let cluster: TestCluster;
  let sql: pg.Pool;

  beforeAll(async () => {
    cluster = await TestCluster.start({ nodes: 2 });
    sql = new pg.Pool({ connectionString: cluster.database.url, max: 2 });
  });

  afterAll(async () => {
    await sql?.end();
    await cluster?.stop();
  });

  it('goes from sent over delivered to read, with the time of the first advance to or beyond the message', async () => {
    const { alice: a, bob: b } = someUsers('alice', 'bob');
    const conversationId = await directConversation(cluster.url(), a, b);
    const [alice, bob] = [await cluster.connect(a, 0, manually), await cluster.connect(b, 1, manually)];
    const ids = (await send(alice, conversationId, 5)).map(({ id }) => id);
    const status = (i: number) => alice.ask<Status>('get-message-status', { messageId: ids[i] });
    expect(await status(1)).toEqual({
      messageId: ids[1],
      status: 'sent',
      deliveredTo: [],
      readBy: [],
      participantCount: 2,
    });
    await bob.ask('mark-delivered', { conversationId, seq: 3 });
    const { deliveredAt } = await alice.waitFor('message-delivered');
    const delivered = [{ userId: b, at: deliveredAt }];
    expect(await status(1)).toMatchObject({ status: 'delivered', deliveredTo: delivered, readBy: [] });
    await bob.ask('mark-read', { conversationId, seq: 2 });
    const { readAt } = await alice.waitFor('messages-read');
    const read = [{ userId: b, at: readAt }];
    await bob.ask('mark-read', { conversationId, seq: 4 });
    expect(await status(1)).toMatchObject({ status: 'read', deliveredTo: delivered, readBy: read });
    const later = await status(2);
    expect(later).toMatchObject({ status: 'read', deliveredTo: delivered });
    expect(later.readBy[0]!.at > readAt).toBe(true);
    expect(await status(4)).toMatchObject({ status: 'sent' });
    // A recipient may ask, too.
    expect(await bob.ask('get-message-status', ids[1])).toEqual(await status(1));
  });

  it('is the least over the others who may see the message: not the sender, who has left, or who came later', async () => {
    const { alice: a, bob: b, carol: c, dave: d } = someUsers('alice', 'bob', 'carol', 'dave');
    const conversationId = await groupConversation(cluster.url(), a, [b, c]);
    const [alice, bob, carol] = await Promise.all([a, b, c].map((userId, i) => cluster.connect(userId, i, manually)));
    const { id } = (await send(bob!, conversationId))[0]!;
    const status = () => alice!.ask<Status>('get-message-status', id);
    await bob!.ask('mark-read', { conversationId, seq: 1 });
    expect(await status()).toMatchObject({ status: 'sent', deliveredTo: [], readBy: [], participantCount: 3 });
    await alice!.ask('mark-read', { conversationId, seq: 1 });
    const partly = await status();
    expect([partly.status, idsOf(partly.deliveredTo), idsOf(partly.readBy)]).toEqual(['sent', [a], [a]]);
    await carol!.ask('mark-delivered', { conversationId, seq: 1 });
    expect(await status()).toMatchObject({ status: 'delivered' });
    const path = `/v1/conversations/${conversationId}/participants`;
    await rest(cluster.url(), a, 'POST', path, { userIds: [d] });
    expect(await status()).toMatchObject({ status: 'delivered', participantCount: 4 });
    await rest(cluster.url(), a, 'DELETE', `${path}/${c}`);
    const end = await status();
    expect([end.status, idsOf(end.deliveredTo), end.participantCount]).toEqual(['read', [a], 3]);
  });

  it('is sent where nobody else is there', async () => {
    const { alice: a } = someUsers('alice');
    const conversationId = await groupConversation(cluster.url(), a, []);
    const alice = await cluster.connect(a, 0, manually);
    const { id } = (await send(alice, conversationId))[0]!;
    await alice.ask('mark-read', { conversationId, seq: 1 });
    expect(await alice.ask('get-message-status', id)).toMatchObject({ status: 'sent', participantCount: 1 });
  });

  it('answers for a deleted message, and for none the caller may not see', async () => {
    const { alice: a, bob: b, eve: e } = someUsers('alice', 'bob', 'eve');
    const conversationId = await directConversation(cluster.url(), a, b);
    const [alice, bob, eve] = await Promise.all([a, b, e].map((userId) => cluster.connect(userId, 0, manually)));
    const [deleted, hidden, expired] = (await send(alice!, conversationId, 3)).map(({ id }) => id);
    await sql.query('UPDATE messages SET deleted_at = now(), content = NULL WHERE id = $1', [deleted]);
    await sql.query('UPDATE messages SET expires_at = now() WHERE id = $1', [expired]);
    await sql.query(
      `INSERT INTO hidden_messages (user_id, conversation_id, seq, message_id)
       SELECT $1, conversation_id, seq, id FROM messages WHERE id = $2`,
      [b, hidden],
    );
    expect(await bob!.ask('get-message-status', deleted)).toMatchObject({ status: 'sent' });
    expect(await alice!.ask('get-message-status', hidden)).toMatchObject({ status: 'sent' });
    const refusals = [
      await bob!.refused('get-message-status', hidden),
      await bob!.refused('get-message-status', expired),
      await eve!.refused('get-message-status', deleted),
      await eve!.refused('get-message-status', randomUUID()),
    ].map(({ requestId: _, ...body }) => body);
    for (const refusal of refusals) expect(refusal).toEqual({ ...refusals[0], code: 'NOT_FOUND' });
    for (const payload of ['x', {}, { messageId: 7 }, { messageId: deleted, at: 1 }, [deleted]]) {
      expect(await bob!.refused('get-message-status', payload)).toMatchObject({ code: 'VALIDATION_FAILED' });
    }
  });

  it('has a second door over REST', async () => {
    const { alice: a, bob: b } = someUsers('alice', 'bob');
    const conversationId = await directConversation(cluster.url(), a, b);
    const alice = await cluster.connect(a, 0, manually);
    const { id } = (await send(alice, conversationId))[0]!;
    const get = (userId: string, messageId: string) =>
      rest(cluster.url(1), userId, 'GET', `/v1/messages/${messageId}/status`);
    const { status, body } = await get(b, id);
    expect([status, body]).toEqual([200, await alice.ask('get-message-status', id)]);
    expect(await get('a-stranger', id)).toMatchObject({ status: 404, body: { code: 'NOT_FOUND' } });
    expect(await get(b, randomUUID())).toMatchObject({ status: 404 });
    expect(await get(b, 'x')).toMatchObject({ status: 400, body: { code: 'VALIDATION_FAILED' } });
  });

  it('knows the times of 1,023 readers with a long history', async () => {
    const { alice: a } = someUsers('alice');
    const others = Array.from({ length: 1_023 }, (_, i) => `${a}-${i}`);
    const conversationId = await groupConversation(cluster.url(), a, others);
    const alice = await cluster.connect(a, 0, manually);
    const ids = (await send(alice, conversationId, 40)).map(({ id }) => id);
    await sql.query(
      `INSERT INTO receipt_log (conversation_id, user_id, kind, seq, at)
       SELECT $1, p.user_id, k.kind, s.seq, timestamptz '2026-01-01' + s.seq * interval '1 second'
       FROM participants p, generate_series(2, 40, 2) AS s (seq), (VALUES ('delivered'), ('read')) AS k (kind)
       WHERE p.conversation_id = $1 AND p.user_id <> $2`,
      [conversationId, a],
    );
    const { status, readBy, deliveredTo } = await alice.ask<Status>('get-message-status', ids[20]);
    expect([status, readBy.length, deliveredTo.length]).toEqual(['read', 1_023, 1_023]);
    expect(new Set(readBy.map(({ at }) => at))).toEqual(new Set(['2026-01-01T00:00:22.000Z']));
  });
});
