import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Conversation } from '../../src/common/index.js';
import { rest } from '../support/client.js';
import { TestCluster } from '../support/cluster.js';
import { historyOf, poolOf, scene } from '../support/message-life.js';
import { expireNow } from '../support/expire-now.js';
import { atMost } from '../setup/patience.js';

describe('expiring messages', () => {
  let cluster: TestCluster;
  let sql: pg.Pool;

  beforeAll(async () => {
    cluster = await TestCluster.start({ nodes: 2, processes: true });
    sql = poolOf(cluster);
  });

  afterAll(async () => {
    await sql?.end();
    await cluster?.stop();
  });

  it('are deleted for everyone within 5 s, once, by nobody', async () => {
    const { alice, clients, conversationId, say, settle } = await scene(cluster, 'group', ['alice', 'bob', 'carol']);
    const sent = await say(alice, 'short-lived', { expiresInSeconds: 3_600, mentions: [clients[1]!.userId] });
    expect(Date.parse(sent.expiresAt!) - Date.parse(sent.createdAt)).toBe(3_600_000);
    await alice.ask('edit-message', { messageId: sent.id, content: { text: 'edited' } });
    await clients[1]!.ask('add-reaction', { messageId: sent.id, emoji: '👍' });
    await expireNow(sql, [sent.id]);
    const expiredAt = performance.now();
    const told = await Promise.all(clients.map((client) => client.waitFor('message-deleted', () => true, 6_000)));
    expect(performance.now() - expiredAt).toBeLessThan(atMost(5_000));
    for (const payload of told) {
      expect(payload).toEqual({
        conversationId,
        messageId: sent.id,
        seq: sent.seq,
        rev: 4,
        deletedBy: null,
        deletedAt: expect.stringMatching(/^\d{4}-.*Z$/),
        scope: 'everyone',
      });
    }
    await settle();
    for (const client of clients) expect(client.of('message-deleted')).toHaveLength(1);
    const { rows } = await sql.query(
      `SELECT content, mentions, reactions, deleted_by,
              (SELECT count(*)::int FROM reactions WHERE message_id = m.id) AS reacted,
              (SELECT count(*)::int FROM message_revisions WHERE message_id = m.id) AS revised
       FROM messages m WHERE id = $1`,
      [sent.id],
    );
    expect(rows).toEqual([{ content: null, mentions: [], reactions: null, deleted_by: null, reacted: 0, revised: 0 }]);
  });

  it('are in no answer from the instant on, swept or not', async () => {
    const { alice, clients, conversationId, say } = await scene(cluster, 'direct', ['alice', 'bob']);
    const bob = clients[1]!;
    const kept = await say(alice, 'kept');
    const sent = await say(alice, 'uniquelyshort', { expiresInSeconds: 600 });
    await alice.ask('edit-message', { messageId: sent.id, content: { text: 'uniquelyshort again' } });
    const lock = await sql.connect();
    try {
      // The sweep waits for this lock, so the message is expired and still there.
      await lock.query('BEGIN');
      await lock.query('SELECT 1 FROM conversations WHERE id = $1 FOR NO KEY UPDATE', [conversationId]);
      await sql.query('UPDATE messages SET expires_at = now() WHERE id = $1', [sent.id]);
      expect(await historyOf(cluster, bob.userId, conversationId, 1)).toEqual([kept]);
      const view = await rest<Conversation>(cluster.url(), bob.userId, 'GET', `/v1/conversations/${conversationId}`);
      expect([view.body.unreadCount, view.body.lastMessage?.id]).toEqual([1, kept.id]);
      const found = await rest(cluster.url(), bob.userId, 'GET', '/v1/search/messages?q=uniquelyshort');
      expect(found.body).toEqual({ items: [], nextCursor: null });
      const revisions = await rest(cluster.url(), alice.userId, 'GET', `/v1/messages/${sent.id}/revisions`);
      expect(revisions.status).toBe(404);
    } finally {
      await lock.query('ROLLBACK');
      lock.release();
    }
    for (const [event, more] of [
      ['edit-message', { content: { text: 'x' } }],
      ['add-reaction', { emoji: '👍' }],
      ['delete-message', {}],
      ['delete-message', { scope: 'me' }],
    ] as const) {
      expect((await alice.refused(event, { messageId: sent.id, ...more })).code).toBe('NOT_FOUND');
    }
  });

  it('are deleted by another node when the one that took them has died', async () => {
    const dying = await cluster.addNode();
    const { alice, clients, conversationId } = await scene(cluster, 'direct', ['alice', 'bob']);
    const sender = await cluster.connect(alice.userId, cluster.nodes.indexOf(dying), { deviceId: 'doomed' });
    const ask = { conversationId, content: { text: 'orphan' }, expiresInSeconds: 3_600 };
    const { message } = await sender.ask('send-message', ask);
    await dying.stop();
    await expireNow(sql, [message.id]);
    const expiredAt = performance.now();
    for (const client of clients) {
      const told = await client.waitFor('message-deleted', () => true, 8_000);
      expect([told.messageId, told.deletedBy]).toEqual([message.id, null]);
      expect(performance.now() - expiredAt).toBeLessThan(atMost(5_000));
    }
  });

  it('are deleted by the hundred, with revs in a row', async () => {
    const { alice, clients, conversationId, say } = await scene(cluster, 'direct', ['alice', 'bob']);
    const sent = await Promise.all(
      Array.from({ length: 300 }, (_, i) => say(alice, `m${i}`, { expiresInSeconds: 3_600 })),
    );
    await expireNow(
      sql,
      sent.map(({ id }) => id),
    );
    const told = await clients[1]!.waitForCount('message-deleted', 300, 8_000);
    const revs = told.filter((one) => one.conversationId === conversationId).map(({ rev }) => rev);
    expect([...revs].sort((a, b) => a - b)).toEqual(revs);
    expect(new Set(revs).size).toBe(300);
    await pause(1_500);
    expect(clients[1]!.of('message-deleted')).toHaveLength(300);
  });

  it('are deleted in hundreds of conversations at once, and one that is locked keeps no other waiting', async () => {
    const bob = await cluster.connect(`bob-${randomUUID()}`, 1);
    const { rows } = await sql.query<{ id: string }>(
      `INSERT INTO conversations (id, kind, last_seq, last_rev, participant_count)
       SELECT gen_random_uuid(), 'group', 1, 1, 1 FROM generate_series(1, 300) RETURNING id`,
    );
    const [locked, ...others] = rows.map(({ id }) => id);
    await sql.query(
      `INSERT INTO participants (conversation_id, user_id, role) SELECT c, $2, 'owner' FROM unnest($1::uuid[]) c`,
      [[locked, ...others], bob.userId],
    );
    const lock = await sql.connect();
    try {
      await lock.query('BEGIN');
      await lock.query('SELECT 1 FROM conversations WHERE id = $1 FOR NO KEY UPDATE', [locked]);
      await sql.query(
        `INSERT INTO messages (conversation_id, seq, rev, id, sender_id, type, content, created_at, expires_at)
         SELECT c, 1, 1, gen_random_uuid(), 'alice', 'text', '{"text":"x"}', now(), now() FROM unnest($1::uuid[]) c`,
        [[locked, ...others]],
      );
      const told = await bob.waitForCount('message-deleted', 299, 8_000);
      expect(new Set(told.map(({ conversationId }) => conversationId))).toEqual(new Set(others));
    } finally {
      await lock.query('ROLLBACK');
      lock.release();
    }
    const told = await bob.waitForCount('message-deleted', 300, 8_000);
    const places = told.map(({ conversationId, seq, rev }) => `${conversationId} ${seq} ${rev}`);
    expect(places.sort()).toEqual([locked, ...others].map((id) => `${id} 1 2`).sort());
  });
});
