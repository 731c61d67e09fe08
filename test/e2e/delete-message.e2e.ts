import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Conversation } from '../../src/common/index.js';
import { rest, type TestClient } from '../support/client.js';
import { TestCluster } from '../support/cluster.js';
import { age, codeOf, historyOf, poolOf, scene, withoutRequestId } from '../support/message-life.js';

const twoDays = 172_800;

describe('delete-message', () => {
  let cluster: TestCluster;
  let sql: pg.Pool;

  beforeAll(async () => {
    cluster = await TestCluster.start({ nodes: 2 });
    sql = poolOf(cluster);
  });

  afterAll(async () => {
    await sql?.end();
    await cluster?.stop();
  });

  const conversationFor = async (userId: string, id: string) =>
    (await rest<Conversation>(cluster.url(1), userId, 'GET', `/v1/conversations/${id}`)).body;

  /** Names of the tables in which a text stands. */
  async function tablesWith(text: string): Promise<string[]> {
    const { rows } = await sql.query<{ name: string }>(
      `SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename`,
    );
    const counts = await Promise.all(
      rows.map(async ({ name }) => {
        const found = await sql.query(`SELECT 1 FROM "${name}" t WHERE strpos(t::text, $1) > 0 LIMIT 1`, [text]);
        return found.rowCount;
      }),
    );
    return rows.map(({ name }) => name).filter((_name, i) => counts[i]);
  }

  async function appoint(owner: TestClient, conversationId: string, userId: string): Promise<void> {
    const path = `/v1/conversations/${conversationId}/participants/${userId}`;
    expect((await rest(cluster.url(), owner.userId, 'PATCH', path, { role: 'admin' })).status).toBe(200);
  }

  describe('for everyone', () => {
    it('leaves a tombstone, and tells every socket but the acting one', async () => {
      const { alice, clients, conversationId, say } = await scene(cluster, 'direct', ['alice', 'bob']);
      const bob = clients[1]!;
      const sent = await say(alice, 'a slip', { clientMessageId: 'c-1', mentions: [bob.userId] });
      expect(await alice.ask('delete-message', { messageId: sent.id })).toEqual({
        messageId: sent.id,
        scope: 'everyone',
      });
      const told = await bob.waitFor('message-deleted');
      expect(told).toEqual({
        conversationId,
        messageId: sent.id,
        seq: sent.seq,
        rev: 2,
        deletedBy: alice.userId,
        deletedAt: expect.stringMatching(/^\d{4}-.*Z$/),
        scope: 'everyone',
      });
      expect(alice.of('message-deleted')).toEqual([]);
      expect(await historyOf(cluster, bob.userId, conversationId, 1)).toEqual([
        { ...sent, rev: 2, content: null, mentions: [], deletedAt: told.deletedAt },
      ]);
    });

    it('takes content, mentions, reactions, fingerprint and revisions out of every table', async () => {
      const { alice, clients, conversationId, say } = await scene(cluster, 'group', ['alice', 'bob', 'carol']);
      const [, bob, carol] = clients as [TestClient, TestClient, TestClient];
      const more = { clientMessageId: 'c-1', mentions: [bob.userId] };
      carol.close();
      const sent = await say(alice, 'secret-word', more);
      await alice.ask('edit-message', { messageId: sent.id, content: { text: 'secret-word again' } });
      await bob.ask('add-reaction', { messageId: sent.id, emoji: '🦩' });
      await say(bob, 'a reply', { replyTo: sent.id });
      // Everybody is told of the conversation with its last message.
      const path = `/v1/conversations/${conversationId}`;
      expect((await rest(cluster.url(), alice.userId, 'PATCH', path, { title: 'x' })).status).toBe(200);
      await bob.ask('delete-message', { messageId: sent.id, scope: 'me' });
      expect(await tablesWith('secret-word')).toEqual(['message_revisions', 'messages']);
      expect(await tablesWith('🦩')).toEqual(['messages', 'reactions']);
      await alice.ask('delete-message', sent.id);
      expect(await tablesWith('secret-word')).toEqual([]);
      expect(await tablesWith('🦩')).toEqual([]);
      const { rows } = await sql.query(
        `SELECT content, mentions, reactions, fingerprint,
                (SELECT count(*)::int FROM reactions WHERE message_id = m.id) AS reacted,
                (SELECT count(*)::int FROM message_revisions WHERE message_id = m.id) AS revised
         FROM messages m WHERE id = $1`,
        [sent.id],
      );
      expect(rows).toEqual([
        { content: null, mentions: [], reactions: null, fingerprint: null, reacted: 0, revised: 0 },
      ]);
      const retry = await alice.ask('send-message', { conversationId, content: { text: 'secret-word' }, ...more });
      expect(retry).toMatchObject({ duplicate: true, message: { id: sent.id, content: null } });
      const revisions = await rest(cluster.url(), alice.userId, 'GET', `/v1/messages/${sent.id}/revisions`);
      expect(revisions.body).toEqual({ items: [], nextCursor: null });
    });

    it('is answered the second time as the first, and told once', async () => {
      const { alice, clients, conversationId, say, settle } = await scene(cluster, 'direct', ['alice', 'bob']);
      const sent = await say(alice, 'x');
      const first = await alice.ask('delete-message', { messageId: sent.id });
      const [before] = await historyOf(cluster, alice.userId, conversationId);
      await age(sql, sent.id, twoDays + 1);
      expect(await alice.ask('delete-message', { messageId: sent.id, scope: 'everyone' })).toEqual(first);
      const path = `/v1/messages/${sent.id}`;
      expect((await rest(cluster.url(1), alice.userId, 'DELETE', path)).status).toBe(204);
      await settle();
      expect(clients[1]!.of('message-deleted')).toHaveLength(1);
      const [after] = await historyOf(cluster, alice.userId, conversationId);
      expect(after).toEqual({ ...before, createdAt: after!.createdAt });
    });

    it('is for the sender in a direct conversation, within the window', async () => {
      const { alice, clients, say } = await scene(cluster, 'direct', ['alice', 'bob']);
      const sent = await say(alice, 'x');
      expect((await clients[1]!.refused('delete-message', { messageId: sent.id })).code).toBe('FORBIDDEN');
      await age(sql, sent.id, twoDays + 1);
      expect((await alice.refused('delete-message', { messageId: sent.id })).code).toBe('WINDOW_EXPIRED');
      const answer = await rest(cluster.url(1), alice.userId, 'DELETE', `/v1/messages/${sent.id}`);
      expect(codeOf(answer, 409)).toBe('WINDOW_EXPIRED');
    });

    it('is for owner and admins of a group at any time, and for members of their own', async () => {
      const { alice, clients, conversationId, say } = await scene(cluster, 'group', ['alice', 'bob', 'carol']);
      const [, bob, carol] = clients as [TestClient, TestClient, TestClient];
      await appoint(alice, conversationId, bob.userId);
      const ofAlice = await say(alice, 'owner’s');
      const ofBob = await say(bob, 'admin’s');
      const ofCarol = await say(carol, 'member’s');
      for (const { id } of [ofAlice, ofBob, ofCarol]) await age(sql, id, twoDays + 1);
      expect((await carol.refused('delete-message', ofAlice.id)).code).toBe('FORBIDDEN');
      expect((await carol.refused('delete-message', ofCarol.id)).code).toBe('WINDOW_EXPIRED');
      await bob.ask('delete-message', ofCarol.id);
      await bob.ask('delete-message', ofBob.id);
      await bob.ask('delete-message', ofAlice.id);
      expect((await carol.waitForCount('message-deleted', 3)).map(({ deletedBy }) => deletedBy)).toEqual([
        bob.userId,
        bob.userId,
        bob.userId,
      ]);
      await carol.ask('delete-message', ofCarol.id);
    });

    it('answers for others’ messages as for none', async () => {
      const { alice, say } = await scene(cluster, 'direct', ['alice', 'bob']);
      const sent = await say(alice, 'secret');
      const eve = await cluster.connect(`eve-${randomUUID()}`, 1);
      for (const scope of ['everyone', 'me']) {
        const ask = (messageId: string) => eve.refused('delete-message', { messageId, scope });
        const [foreign, none] = [await ask(sent.id), await ask(randomUUID())];
        expect(foreign.code).toBe('NOT_FOUND');
        expect(withoutRequestId(foreign)).toEqual(withoutRequestId(none));
        const remove = (id: string) => rest(cluster.url(), eve.userId, 'DELETE', `/v1/messages/${id}?scope=${scope}`);
        const [foreignAnswer, noAnswer] = [await remove(sent.id), await remove(randomUUID())];
        expect(codeOf(foreignAnswer, 404)).toBe('NOT_FOUND');
        expect(withoutRequestId(foreignAnswer.body)).toEqual(withoutRequestId(noAnswer.body));
      }
    });

    it('refuses scopes there are not', async () => {
      const { alice, say } = await scene(cluster, 'direct', ['alice', 'bob']);
      const sent = await say(alice, 'x');
      expect((await alice.refused('delete-message', { messageId: sent.id, scope: 'all' })).code).toBe(
        'VALIDATION_FAILED',
      );
      const answer = await rest(cluster.url(), alice.userId, 'DELETE', `/v1/messages/${sent.id}?scope=all`);
      expect(codeOf(answer, 400)).toBe('VALIDATION_FAILED');
      const nullIsNone = await alice.ask('delete-message', { messageId: sent.id, scope: null });
      expect(nullIsNone).toEqual({ messageId: sent.id, scope: 'everyone' });
    });

    it('beats edits in every order of arrival, on two nodes', async () => {
      const { alice, clients, conversationId, say, settle } = await scene(cluster, 'direct', ['alice', 'bob']);
      const bob = clients[1]!;
      const other = await cluster.connect(alice.userId, 1, { deviceId: 'other' });
      for (let round = 0; round < 25; round++) {
        const sent = await say(alice, `round ${round}`);
        const edit = (client: TestClient, n: number) =>
          client.ask('edit-message', { messageId: sent.id, content: { text: `edit ${n}` } });
        const [deletion, ...edits] = await Promise.allSettled([
          (round % 2 ? alice : other).ask('delete-message', sent.id),
          edit(alice, 1),
          edit(other, 2),
          edit(other, 3),
        ]);
        expect(deletion.status).toBe('fulfilled');
        for (const answer of edits) {
          if (answer.status === 'rejected') expect(answer.reason.code).toBe('WINDOW_EXPIRED');
        }
      }
      await settle();
      const history = await historyOf(cluster, bob.userId, conversationId);
      const tombstones = history.slice(0, 25);
      expect(tombstones.every(({ content, deletedAt }) => content === null && deletedAt !== null)).toBe(true);
      expect(
        (
          await sql.query(
            'SELECT 1 FROM message_revisions v JOIN messages m ON m.id = v.message_id WHERE m.deleted_at IS NOT NULL',
          )
        ).rows,
      ).toEqual([]);
      // Whoever applies what he heard in order of arrival ends with the same state.
      const last = new Map<string, string>();
      for (const { event, payload } of bob.heard) {
        if (event === 'message-edited') last.set(payload.id, event);
        if (event === 'message-deleted') last.set(payload.messageId, event);
      }
      expect([...new Set(last.values())]).toEqual(['message-deleted']);
    });
  });

  describe('for me', () => {
    it('hides the message from the caller everywhere, leaves rev alone, and tells his other sockets only', async () => {
      const { alice, clients, conversationId, say, settle } = await scene(cluster, 'direct', ['alice', 'bob']);
      const bob = clients[1]!;
      const tablet = await cluster.connect(bob.userId, 0, { deviceId: 'tablet' });
      const first = await say(alice, 'first');
      const sent = await say(alice, 'second');
      expect((await conversationFor(bob.userId, conversationId)).unreadCount).toBe(2);
      const answer = await bob.ask('delete-message', { messageId: sent.id, scope: 'me' });
      expect(answer).toEqual({ messageId: sent.id, scope: 'me' });
      expect(await tablet.waitFor('message-deleted')).toEqual({
        conversationId,
        messageId: sent.id,
        seq: sent.seq,
        rev: sent.rev,
        deletedBy: bob.userId,
        deletedAt: expect.stringMatching(/^\d{4}-.*Z$/),
        scope: 'me',
      });
      const view = await conversationFor(bob.userId, conversationId);
      expect([view.unreadCount, view.lastMessage?.id, view.lastRev]).toEqual([1, first.id, 2]);
      expect(await historyOf(cluster, bob.userId, conversationId)).toEqual([first]);
      expect(await historyOf(cluster, alice.userId, conversationId)).toEqual([first, sent]);
      await settle();
      expect([alice.of('message-deleted'), bob.of('message-deleted')]).toEqual([[], []]);
    });

    it('is answered the second time as the first, told once, and hides later changes', async () => {
      const { alice, clients, say, settle } = await scene(cluster, 'direct', ['alice', 'bob']);
      const bob = clients[1]!;
      const tablet = await cluster.connect(bob.userId, 0, { deviceId: 'tablet' });
      const sent = await say(alice, 'x');
      const ask = () => bob.ask('delete-message', { messageId: sent.id, scope: 'me' });
      expect(await ask()).toEqual(await ask());
      const path = `/v1/messages/${sent.id}?scope=me`;
      expect((await rest(cluster.url(), bob.userId, 'DELETE', path)).status).toBe(204);
      await tablet.waitFor('message-deleted');
      await alice.ask('edit-message', { messageId: sent.id, content: { text: 'y' } });
      await alice.ask('add-reaction', { messageId: sent.id, emoji: '👍' });
      await settle();
      expect(tablet.of('message-deleted')).toHaveLength(1);
      expect(bob.of('message-edited')).toEqual([]);
      expect(bob.of('reaction-changed')).toEqual([]);
      const reaction = await bob.refused('add-reaction', { messageId: sent.id, emoji: '👍' });
      expect(reaction.code).toBe('NOT_FOUND');
    });

    it('hides tombstones, and others’ messages whatever their age', async () => {
      const { alice, clients, conversationId, say } = await scene(cluster, 'direct', ['alice', 'bob']);
      const bob = clients[1]!;
      const sent = await say(alice, 'x');
      const old = await say(alice, 'old');
      await age(sql, old.id, 10 * twoDays);
      await alice.ask('delete-message', sent.id);
      await bob.ask('delete-message', { messageId: sent.id, scope: 'me' });
      await bob.ask('delete-message', { messageId: old.id, scope: 'me' });
      expect(await historyOf(cluster, bob.userId, conversationId)).toEqual([]);
      expect(await historyOf(cluster, alice.userId, conversationId)).toHaveLength(2);
    });
  });
});
