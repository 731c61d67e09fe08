import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Message } from '../../src/common/index.js';
import { rest } from '../support/client.js';
import { TestCluster } from '../support/cluster.js';
import { codeOf, historyOf, poolOf, scene, withoutRequestId } from '../support/message-life.js';

const emojis = [...'👍🎉😀😁😂🤣😃😄😅😆😉😊😋😎😍😘🥰😗😙😚🙂🤗'];

describe('reactions', () => {
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

  const pathOf = (messageId: string, emoji: string) =>
    `/v1/messages/${messageId}/reactions/${encodeURIComponent(emoji)}`;

  it('shows who reacted, in order, and tells every socket but the acting one', async () => {
    const { alice, clients, conversationId, say } = await scene(cluster, 'direct', ['alice', 'bob']);
    const bob = clients[1]!;
    const sent = await say(alice, 'x');
    const { message } = await bob.ask<{ message: Message }>('add-reaction', { messageId: sent.id, emoji: '👍' });
    expect(message).toEqual({ ...sent, rev: 2, reactions: { '👍': { count: 1, userIds: [bob.userId] } } });
    expect(await alice.waitFor('reaction-changed')).toEqual({
      conversationId,
      messageId: sent.id,
      rev: 2,
      userId: bob.userId,
      emoji: '👍',
      added: true,
    });
    const second = await alice.ask<{ message: Message }>('add-reaction', { messageId: sent.id, emoji: '👍' });
    expect(second.message.reactions).toEqual({ '👍': { count: 2, userIds: [bob.userId, alice.userId] } });
    expect(await historyOf(cluster, alice.userId, conversationId, 1)).toEqual([second.message]);
    const third = await bob.ask<{ message: Message }>('remove-reaction', { messageId: sent.id, emoji: '👍' });
    expect(third.message).toEqual({ ...sent, rev: 4, reactions: { '👍': { count: 1, userIds: [alice.userId] } } });
    expect((await alice.waitForCount('reaction-changed', 2))[1]).toMatchObject({ rev: 4, added: false });
    expect(bob.of('reaction-changed')).toHaveLength(1);
    expect(alice.of('message-edited')).toEqual([]);
  });

  it('does the same over REST, and tells all sockets', async () => {
    const { alice, clients, say } = await scene(cluster, 'direct', ['alice', 'bob']);
    const sent = await say(alice, 'x');
    const added = await rest<Message>(cluster.url(1), alice.userId, 'PUT', pathOf(sent.id, '👨‍👩‍👧‍👦'));
    expect([added.status, added.body.reactions]).toEqual([200, { '👨‍👩‍👧‍👦': { count: 1, userIds: [alice.userId] } }]);
    const removed = await rest<Message>(cluster.url(0), alice.userId, 'DELETE', pathOf(sent.id, '👨‍👩‍👧‍👦'));
    expect([removed.status, removed.body.reactions]).toEqual([200, {}]);
    for (const client of clients) await client.waitForCount('reaction-changed', 2);
  });

  it('changes nothing when repeated, or when there is nothing to take away', async () => {
    const { alice, clients, say, settle } = await scene(cluster, 'direct', ['alice', 'bob']);
    const bob = clients[1]!;
    const sent = await say(alice, 'x');
    const none = await bob.ask('remove-reaction', { messageId: sent.id, emoji: '👍' });
    expect(none.message).toEqual(sent);
    const first = await bob.ask('add-reaction', { messageId: sent.id, emoji: '👍' });
    const again = await rest(cluster.url(0), bob.userId, 'PUT', pathOf(sent.id, '👍'));
    expect([again.status, again.body]).toEqual([200, first.message]);
    await bob.ask('remove-reaction', { messageId: sent.id, emoji: '👍' });
    const gone = await bob.ask('remove-reaction', { messageId: sent.id, emoji: '👍' });
    expect(gone.message).toEqual({ ...sent, rev: 3 });
    await settle();
    expect(alice.of('reaction-changed').map(({ added }) => added)).toEqual([true, false]);
  });

  it('ends where the last of a socket’s quick changes says', async () => {
    const { alice, clients, conversationId, say } = await scene(cluster, 'direct', ['alice', 'bob']);
    const sent = await say(alice, 'x');
    const toggles = Array.from({ length: 21 }, (_, i) => (i % 2 === 0 ? 'add-reaction' : 'remove-reaction'));
    await Promise.all(toggles.map((event) => clients[1]!.ask(event, { messageId: sent.id, emoji: '👍' })));
    const [message] = await historyOf(cluster, alice.userId, conversationId);
    expect(message).toEqual({
      ...sent,
      rev: 22,
      reactions: { '👍': { count: 1, userIds: [clients[1]!.userId] } },
    });
  });

  it('carries twenty different emojis, from whomever, and any number of users on each', async () => {
    const { alice, clients, say } = await scene(cluster, 'group', ['alice', 'bob', 'carol']);
    const [, bob, carol] = clients;
    const sent = await say(alice, 'x');
    for (const [i, emoji] of emojis.slice(0, 20).entries()) {
      await clients[i % 2]!.ask('add-reaction', { messageId: sent.id, emoji });
    }
    const refusal = await carol!.refused('add-reaction', { messageId: sent.id, emoji: emojis[20] });
    expect(refusal.code).toBe('CONFLICT');
    expect(codeOf(await rest(cluster.url(), bob!.userId, 'PUT', pathOf(sent.id, emojis[20]!)), 409)).toBe('CONFLICT');
    await carol!.ask('add-reaction', { messageId: sent.id, emoji: emojis[0] });
    await bob!.ask('remove-reaction', { messageId: sent.id, emoji: emojis[1] });
    const { message } = await carol!.ask('add-reaction', { messageId: sent.id, emoji: emojis[20] });
    expect(Object.keys(message.reactions)).toHaveLength(20);
  });

  it('keeps to twenty when several nodes add at the same time', async () => {
    const { clients, say, conversationId, alice } = await scene(cluster, 'group', ['alice', 'bob']);
    const sent = await say(alice, 'x');
    const answers = await Promise.allSettled(
      emojis.map((emoji, i) => clients[i % 2]!.ask('add-reaction', { messageId: sent.id, emoji })),
    );
    expect(answers.filter(({ status }) => status === 'fulfilled')).toHaveLength(20);
    const [message] = await historyOf(cluster, alice.userId, conversationId);
    expect(Object.keys(message!.reactions)).toHaveLength(20);
  });

  it('takes one emoji and nothing else', async () => {
    const { alice, say } = await scene(cluster, 'direct', ['alice', 'bob']);
    const { id: messageId } = await say(alice, 'x');
    for (const emoji of ['', 'a', '1', '👍👍', '👍 ', ':+1:', 7, null]) {
      expect((await alice.refused('add-reaction', { messageId, emoji })).code).toBe('VALIDATION_FAILED');
      expect((await alice.refused('remove-reaction', { messageId, emoji })).code).toBe('VALIDATION_FAILED');
    }
    for (const emoji of ['❤️', '🇩🇪', '1️⃣', '👍🏽']) await alice.ask('add-reaction', { messageId, emoji });
    expect(codeOf(await rest(cluster.url(), alice.userId, 'PUT', pathOf(messageId, 'ab')), 400)).toBe(
      'VALIDATION_FAILED',
    );
    const malformed = await rest(cluster.url(), alice.userId, 'PUT', `/v1/messages/${messageId}/reactions/%F0%9F`);
    expect(codeOf(malformed, 400)).toBe('VALIDATION_FAILED');
  });

  it('refuses any on a deleted message, and takes away in silence', async () => {
    const { alice, clients, say, settle } = await scene(cluster, 'direct', ['alice', 'bob']);
    const sent = await say(alice, 'x');
    await clients[1]!.ask('add-reaction', { messageId: sent.id, emoji: '👍' });
    await alice.ask('delete-message', sent.id);
    const refusal = await alice.refused('add-reaction', { messageId: sent.id, emoji: '👍' });
    expect(refusal.code).toBe('CONFLICT');
    const { message } = await clients[1]!.ask('remove-reaction', { messageId: sent.id, emoji: '👍' });
    expect([message.rev, message.reactions]).toEqual([3, {}]);
    await settle();
    await alice.waitFor('reaction-changed');
    expect(alice.of('reaction-changed')).toHaveLength(1);
  });

  it('survives an edit, and shows the first fifty of more', async () => {
    const { alice, conversationId, say } = await scene(cluster, 'group', ['alice', 'bob']);
    const sent = await say(alice, 'x');
    const fans = Array.from({ length: 52 }, (_, i) => `fan-${i}-${randomUUID()}`);
    const path = `/v1/conversations/${conversationId}/participants`;
    await rest(cluster.url(), alice.userId, 'POST', path, { userIds: fans });
    // Newcomers read from their joining on, so they react to something newer.
    const seen = await say(alice, 'for all');
    for (const fan of fans) await rest(cluster.url(1), fan, 'PUT', pathOf(seen.id, '🎉'));
    const { message } = await alice.ask('edit-message', { messageId: seen.id, content: { text: 'edited' } });
    expect(message.reactions).toEqual({ '🎉': { count: 52, userIds: fans.slice(0, 50) } });
    const old = await rest(cluster.url(1), fans[0]!, 'PUT', pathOf(sent.id, '🎉'));
    expect(codeOf(old, 404)).toBe('NOT_FOUND');
  });

  it('answers for others’ messages as for none, and refuses over a block', async () => {
    const { alice, clients, say } = await scene(cluster, 'direct', ['alice', 'bob']);
    const sent = await say(alice, 'secret');
    const eve = await cluster.connect(`eve-${randomUUID()}`, 1);
    for (const event of ['add-reaction', 'remove-reaction']) {
      const ask = (messageId: string) => eve.refused(event, { messageId, emoji: '👍' });
      const [foreign, none] = [await ask(sent.id), await ask(randomUUID())];
      expect(foreign.code).toBe('NOT_FOUND');
      expect(withoutRequestId(foreign)).toEqual(withoutRequestId(none));
    }
    const answer = await rest(cluster.url(), eve.userId, 'PUT', pathOf(sent.id, '👍'));
    expect(codeOf(answer, 404)).toBe('NOT_FOUND');
    await sql.query('INSERT INTO blocks (user_id, blocked_id) VALUES ($1, $2)', [alice.userId, clients[1]!.userId]);
    for (const event of ['add-reaction', 'remove-reaction']) {
      for (const client of clients) {
        const refusal = await client.refused(event, { messageId: sent.id, emoji: '👍' });
        expect(refusal.code).toBe('FORBIDDEN');
      }
    }
    for (const method of ['PUT', 'DELETE']) {
      const refused = await rest(cluster.url(1), alice.userId, method, pathOf(sent.id, '👍'));
      expect(codeOf(refused, 403)).toBe('FORBIDDEN');
    }
  });
});
