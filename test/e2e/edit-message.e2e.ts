import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ChatError, type Message } from '../../src/common/index.js';
import { MessageInterceptor, type MessageDraft } from '../../src/messaging/index.js';
import { rest } from '../support/client.js';
import { TestCluster } from '../support/cluster.js';
import { age, codeOf, historyOf, poolOf, scene, withoutRequestId } from '../support/message-life.js';

const drafts: MessageDraft[] = [];

class Moderation extends MessageInterceptor {
  override beforeCommit(draft: MessageDraft): { content: Record<string, unknown> } | undefined {
    drafts.push(draft);
    const { text } = draft.content as { text?: string };
    if (text === 'forbidden words') throw new ChatError('FORBIDDEN');
    return text === 'shout' ? { content: { text: 'SHOUT' } } : undefined;
  }
}

describe('edit-message', () => {
  let cluster: TestCluster;
  let sql: pg.Pool;

  beforeAll(async () => {
    cluster = await TestCluster.start({ nodes: 2, extensions: { interceptors: [Moderation] } });
    sql = poolOf(cluster);
  });

  afterAll(async () => {
    await sql?.end();
    await cluster?.stop();
  });

  it('changes the content, bumps rev, and tells every socket but the acting one', async () => {
    const { alice, clients, conversationId, say } = await scene(cluster, 'direct', ['alice', 'bob']);
    const tablet = await cluster.connect(alice.userId, 1, { deviceId: 'tablet' });
    const sent = await say(alice, 'Helo', { clientMessageId: 'c-1' });
    const { message } = await alice.ask<{ message: Message }>('edit-message', {
      messageId: sent.id,
      content: { text: 'Hello' },
      expectedRev: sent.rev,
    });
    expect(message).toEqual({
      ...sent,
      rev: 2,
      content: { text: 'Hello' },
      editedAt: expect.stringMatching(/^\d{4}-.*Z$/),
    });
    expect(await clients[1]!.waitFor('message-edited')).toEqual(message);
    expect(await tablet.waitFor('message-edited')).toEqual(message);
    expect(alice.of('message-edited')).toEqual([]);
    expect(await historyOf(cluster, clients[1]!.userId, conversationId, 1)).toEqual([message]);
  });

  it('does the same over REST, and tells all sockets of the sender', async () => {
    const { alice, clients, say } = await scene(cluster, 'direct', ['alice', 'bob']);
    const sent = await say(alice, 'one');
    const { status, body } = await rest<Message>(cluster.url(1), alice.userId, 'PATCH', `/v1/messages/${sent.id}`, {
      content: { text: 'two' },
    });
    expect([status, body.content, body.rev]).toEqual([200, { text: 'two' }, 2]);
    expect(await alice.waitFor('message-edited')).toEqual(body);
    expect(await clients[1]!.waitFor('message-edited')).toEqual(body);
  });

  it('applies the edits of one socket in the order in which they were sent', async () => {
    const { alice, clients, say } = await scene(cluster, 'direct', ['alice', 'bob']);
    const sent = await say(alice, 'v0');
    const texts = Array.from({ length: 20 }, (_, i) => `v${i + 1}`);
    await Promise.all(texts.map((text) => alice.ask('edit-message', { messageId: sent.id, content: { text } })));
    const heard = await clients[1]!.waitForCount<Message>('message-edited', 20);
    expect(heard.map(({ content }) => content!['text'])).toEqual(texts);
    expect(heard.map(({ rev }) => rev)).toEqual(texts.map((_, i) => i + 2));
  });

  it('keeps what the message was before, for participants', async () => {
    const { alice, clients, say } = await scene(cluster, 'direct', ['alice', 'bob']);
    const sent = await say(alice, 'first');
    await alice.ask('edit-message', { messageId: sent.id, content: { text: 'second' } });
    const second = (await clients[1]!.waitFor<Message>('message-edited')).editedAt;
    await alice.ask('edit-message', { messageId: sent.id, content: { text: 'third' } });
    const path = `/v1/messages/${sent.id}/revisions`;
    const whole = await rest(cluster.url(1), clients[1]!.userId, 'GET', path);
    expect(whole.body).toEqual({
      items: [
        { rev: 2, content: { text: 'second' }, createdAt: second },
        { rev: 1, content: { text: 'first' }, createdAt: sent.createdAt },
      ],
      nextCursor: null,
    });
    const page = await rest(cluster.url(0), alice.userId, 'GET', `${path}?limit=1`);
    expect(page.body.items).toHaveLength(1);
    const next = await rest(cluster.url(0), alice.userId, 'GET', `${path}?limit=1&cursor=${page.body.nextCursor}`);
    expect(next.body).toEqual({ items: [whole.body.items[1]], nextCursor: null });
    expect(codeOf(await rest(cluster.url(0), alice.userId, 'GET', `${path}?cursor=x`), 400)).toBe('VALIDATION_FAILED');
    expect(codeOf(await rest(cluster.url(0), alice.userId, 'GET', `${path}?limit=201`), 400)).toBe('VALIDATION_FAILED');
    expect(codeOf(await rest(cluster.url(0), 'a-stranger', 'GET', path), 404)).toBe('NOT_FOUND');
  });

  it('is for the sender only', async () => {
    const { alice, clients, say } = await scene(cluster, 'group', ['alice', 'bob']);
    const sent = await say(clients[1]!, 'mine');
    const refusal = await alice.refused('edit-message', { messageId: sent.id, content: { text: 'yours' } });
    expect(refusal.code).toBe('FORBIDDEN');
  });

  it('answers for others’ messages as for none', async () => {
    const { alice, say } = await scene(cluster, 'direct', ['alice', 'bob']);
    const sent = await say(alice, 'secret');
    const eve = await cluster.connect(`eve-${randomUUID()}`, 1);
    const ask = (messageId: string) => eve.refused('edit-message', { messageId, content: { text: 'x' } });
    const [foreign, none] = [await ask(sent.id), await ask(randomUUID())];
    expect(foreign.code).toBe('NOT_FOUND');
    expect(withoutRequestId(foreign)).toEqual(withoutRequestId(none));
    const patch = (id: string) =>
      rest(cluster.url(), eve.userId, 'PATCH', `/v1/messages/${id}`, { content: { nope: 1 } });
    const [foreignAnswer, noAnswer] = [await patch(sent.id), await patch(randomUUID())];
    expect(codeOf(foreignAnswer, 404)).toBe('NOT_FOUND');
    expect(withoutRequestId(foreignAnswer.body)).toEqual(withoutRequestId(noAnswer.body));
  });

  it('ends with its window, by the clock of the database', async () => {
    const { alice, say } = await scene(cluster, 'direct', ['alice', 'bob']);
    const sent = await say(alice, 'old');
    await age(sql, sent.id, 890);
    await alice.ask('edit-message', { messageId: sent.id, content: { text: 'in time' } });
    await age(sql, sent.id, 11);
    const refusal = await alice.refused('edit-message', { messageId: sent.id, content: { text: 'too late' } });
    expect(refusal.code).toBe('WINDOW_EXPIRED');
    const answer = await rest(cluster.url(1), alice.userId, 'PATCH', `/v1/messages/${sent.id}`, {
      content: { text: 'too late' },
    });
    expect(codeOf(answer, 409)).toBe('WINDOW_EXPIRED');
  });

  it('refuses another rev than expected, and a deleted message', async () => {
    const { alice, say } = await scene(cluster, 'direct', ['alice', 'bob']);
    const sent = await say(alice, 'one');
    const edit = { messageId: sent.id, content: { text: 'two' } };
    expect((await alice.refused('edit-message', { ...edit, expectedRev: 7 })).code).toBe('CONFLICT');
    await alice.ask('delete-message', { messageId: sent.id });
    expect((await alice.refused('edit-message', edit)).code).toBe('WINDOW_EXPIRED');
  });

  it('lets one of several edits of the same rev win, on whatever nodes', async () => {
    const { alice, say } = await scene(cluster, 'direct', ['alice', 'bob']);
    const other = await cluster.connect(alice.userId, 1, { deviceId: 'other' });
    const sent = await say(alice, 'start');
    const answers = await Promise.allSettled(
      [alice, other, alice, other].map((client, i) =>
        client.ask('edit-message', { messageId: sent.id, content: { text: `v${i}` }, expectedRev: sent.rev }),
      ),
    );
    expect(answers.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    const codes = answers.flatMap((answer) => (answer.status === 'rejected' ? [answer.reason.code] : []));
    expect(codes).toEqual(['CONFLICT', 'CONFLICT', 'CONFLICT']);
  });

  it('judges the content by the message’s own type', async () => {
    const { alice, say } = await scene(cluster, 'direct', ['alice', 'bob']);
    const sent = await say(alice, 'text');
    const edit = (content: object) => alice.refused('edit-message', { messageId: sent.id, content });
    expect((await edit({ url: 'https://example.com/a.png' })).code).toBe('VALIDATION_FAILED');
    expect((await edit({ text: 'x'.repeat(10_001) })).code).toBe('VALIDATION_FAILED');
    expect((await edit({ text: 'x'.repeat(66_000) })).code).toBe('PAYLOAD_TOO_LARGE');
    expect((await alice.refused('edit-message', { messageId: sent.id })).code).toBe('VALIDATION_FAILED');
    expect((await alice.refused('edit-message', { messageId: 'x', content: {} })).code).toBe('VALIDATION_FAILED');
    const withType = { messageId: sent.id, content: { text: 'x' }, type: 'text' };
    expect((await alice.refused('edit-message', withType)).code).toBe('VALIDATION_FAILED');
  });

  it('asks interceptors, who see which message it is', async () => {
    const { alice, say } = await scene(cluster, 'direct', ['alice', 'bob']);
    const sent = await say(alice, 'quiet');
    const { message } = await alice.ask('edit-message', { messageId: sent.id, content: { text: 'shout' } });
    expect(message.content).toEqual({ text: 'SHOUT' });
    expect(drafts.at(-1)).toMatchObject({ messageId: sent.id, senderId: alice.userId, type: 'text' });
    const edit = { messageId: sent.id, content: { text: 'forbidden words' } };
    expect((await alice.refused('edit-message', edit)).code).toBe('FORBIDDEN');
  });

  it('leaves a retry of the send what it was', async () => {
    const { alice, clients, conversationId, say } = await scene(cluster, 'group', ['alice', 'bob']);
    const more = { clientMessageId: 'c-1', mentions: [clients[1]!.userId] };
    const sent = await say(alice, 'before', more);
    const { message } = await alice.ask('edit-message', { messageId: sent.id, content: { text: 'after' } });
    const retry = await alice.ask('send-message', { conversationId, content: { text: 'before' }, ...more });
    expect(retry).toEqual({ message, duplicate: true });
    expect(message.mentions).toEqual([clients[1]!.userId]);
  });

  it('is not for who has left, nor a way past a block', async () => {
    const { clients, conversationId, say } = await scene(cluster, 'group', ['alice', 'bob']);
    const bob = clients[1]!;
    const sent = await say(bob, 'soon gone');
    await rest(cluster.url(), bob.userId, 'DELETE', `/v1/conversations/${conversationId}/participants/${bob.userId}`);
    const edit = { messageId: sent.id, content: { text: 'x' } };
    expect((await bob.refused('edit-message', edit)).code).toBe('NOT_FOUND');

    const pair = await scene(cluster, 'direct', ['carol', 'dave']);
    const before = await pair.say(pair.alice, 'hi');
    await sql.query('INSERT INTO blocks (user_id, blocked_id) VALUES ($1, $2)', [
      pair.clients[1]!.userId,
      pair.alice.userId,
    ]);
    const refusal = await pair.alice.refused('edit-message', { messageId: before.id, content: { text: 'x' } });
    expect(refusal.code).toBe('FORBIDDEN');
  });
});
