import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Message, Page } from '../../src/common/index.js';
import { rest } from '../support/client.js';
import { TestCluster } from '../support/cluster.js';
import { codeOf, poolOf, scene, withoutRequestId } from '../support/message-life.js';

type Query = Record<string, string | number>;

describe('search', () => {
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

  const ask = (userId: string, query: Query) =>
    rest<Page<Message>>(
      cluster.url(1),
      userId,
      'GET',
      `/v1/search/messages?${new URLSearchParams(Object.entries(query).map(([name, value]): [string, string] => [name, String(value)])).toString()}`,
    );

  async function found(userId: string, q: string, more: Query = {}): Promise<string[]> {
    const { status, body } = await ask(userId, { q, ...more });
    expect(status).toBe(200);
    return body.items.map(({ content }) => content!['text'] as string);
  }

  it('finds by words in any order and case, phrases and exclusions, newest first', async () => {
    const { alice, clients, conversationId, say } = await scene(cluster, 'direct', ['alice', 'bob']);
    for (const text of ['The Quick brown fox', 'a brown, quick dog', 'Быстрая лиса', 'slow']) await say(alice, text);
    const bob = clients[1]!.userId;
    for (const more of [{}, { conversationId }] as Query[]) {
      expect(await found(bob, 'quick brown', more)).toEqual(['a brown, quick dog', 'The Quick brown fox']);
      expect(await found(bob, '"quick brown"', more)).toEqual(['The Quick brown fox']);
      expect(await found(bob, 'brown -fox', more)).toEqual(['a brown, quick dog']);
      expect(await found(bob, 'fox or slow', more)).toEqual(['slow', 'The Quick brown fox']);
      expect(await found(bob, 'БЫСТРАЯ', more)).toEqual(['Быстрая лиса']);
      expect(await found(bob, 'absent', more)).toEqual([]);
    }
  });

  it('finds nothing by what has no word that must occur', async () => {
    const { alice, conversationId, say } = await scene(cluster, 'direct', ['alice', 'bob']);
    await say(alice, 'anything');
    for (const q of ['-absent', '!!!', ' ', '""', "'", '& | :*', '\\', conversationId]) {
      expect(await found(alice.userId, q)).toEqual([]);
      expect(await found(alice.userId, q, { conversationId })).toEqual([]);
    }
  });

  it('finds what messages say now, and captions', async () => {
    const { alice, say } = await scene(cluster, 'direct', ['alice', 'bob']);
    const sent = await say(alice, 'yesterday');
    await alice.ask('edit-message', { messageId: sent.id, content: { text: 'tomorrow' } });
    expect(await found(alice.userId, 'yesterday')).toEqual([]);
    expect(await found(alice.userId, 'tomorrow')).toEqual(['tomorrow']);
    await say(alice, '', { type: 'image', content: { url: 'https://example.com/a.png', caption: 'a lighthouse' } });
    const { body } = await ask(alice.userId, { q: 'lighthouse' });
    expect(body.items.map(({ type }) => type)).toEqual(['image']);
  });

  it('never finds what the caller may not see', async () => {
    const { alice, clients, conversationId, say } = await scene(cluster, 'group', ['alice', 'bob', 'carol']);
    const [, bob, carol] = clients;
    const word = `w${randomUUID().slice(0, 8)}`;
    const deleted = await say(alice, `${word} deleted`);
    const hidden = await say(alice, `${word} hidden`);
    const expired = await say(alice, `${word} expired`, { expiresInSeconds: 3_600 });
    await say(alice, `${word} seen`);
    await alice.ask('delete-message', deleted.id);
    await bob!.ask('delete-message', { messageId: hidden.id, scope: 'me' });
    await sql.query('UPDATE messages SET expires_at = now() WHERE id = $1', [expired.id]);
    const path = `/v1/conversations/${conversationId}/participants`;
    const late = `late-${randomUUID()}`;
    await rest(cluster.url(), alice.userId, 'POST', path, { userIds: [late] });
    await say(alice, `${word} later`);
    await rest(cluster.url(), carol!.userId, 'DELETE', `${path}/${carol!.userId}`);
    for (const more of [{}, { conversationId }] as Query[]) {
      expect(await found(alice.userId, word, more)).toEqual([`${word} later`, `${word} seen`, `${word} hidden`]);
      expect(await found(bob!.userId, word, more)).toEqual([`${word} later`, `${word} seen`]);
      expect(await found(late, word, more)).toEqual([`${word} later`]);
    }
    expect(await found(carol!.userId, word)).toEqual([]);
    expect(await found('a-stranger', word)).toEqual([]);
  });

  it('answers for others’ conversations as for none', async () => {
    const { conversationId } = await scene(cluster, 'direct', ['alice', 'bob']);
    const foreign = await ask('a-stranger', { q: 'x', conversationId });
    const none = await ask('a-stranger', { q: 'x', conversationId: randomUUID() });
    expect(codeOf(foreign, 404)).toBe('NOT_FOUND');
    const bodyOf = (answer: { body: unknown }) => withoutRequestId(answer.body as { requestId: string });
    expect(bodyOf(foreign)).toEqual(bodyOf(none));
  });

  it('pages, over several conversations, without repeats and holes', async () => {
    const first = await scene(cluster, 'direct', ['alice', 'bob']);
    const word = `w${randomUUID().slice(0, 8)}`;
    const second = await rest<{ id: string }>(cluster.url(), first.alice.userId, 'POST', '/v1/conversations', {
      kind: 'group',
      participantIds: ['someone'],
    });
    const all: string[] = [];
    for (let i = 0; i < 12; i++) {
      const conversationId = i % 3 === 0 ? second.body.id : first.conversationId;
      all.unshift((await first.say(first.alice, `${word} ${i}`, { conversationId })).id);
    }
    for (const more of [{}, { conversationId: first.conversationId }] as Query[]) {
      const seen: string[] = [];
      let cursor: string | null = null;
      do {
        const { body }: { body: Page<Message> } = await ask(first.alice.userId, {
          q: word,
          limit: 5,
          ...more,
          ...(cursor === null ? {} : { cursor }),
        });
        seen.push(...body.items.map(({ id }) => id));
        cursor = body.nextCursor;
      } while (cursor !== null);
      const wanted = 'conversationId' in more ? all.filter((_, i) => (11 - i) % 3 !== 0) : all;
      expect(seen).toEqual(wanted);
    }
  });

  it('refuses bad queries', async () => {
    const long = 'x'.repeat(257);
    const queries: Record<string, string>[] = [
      { q: '' },
      { q: long },
      {},
      { q: 'x', limit: '0' },
      { q: 'x', limit: '201' },
    ];
    queries.push({ q: 'x', cursor: 'nonsense' }, { q: 'x', conversationId: 'x' }, { q: 'x', other: '1' });
    queries.push({ q: 'x', cursor: Buffer.from('[9e15,"x",1]').toString('base64url') });
    for (const query of queries) expect(codeOf(await ask('alice', query), 400)).toBe('VALIDATION_FAILED');
  });
});
