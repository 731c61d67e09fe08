import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Conversation, Message, Page, Participant, User } from '../../src/common/index.js';
import { eventually } from '../setup/patience.js';
import { rest, type RestAnswer } from '../support/client.js';
import { TestCluster } from '../support/cluster.js';

let cluster: TestCluster;
let sql: pg.Pool;
beforeAll(async () => {
  cluster = await TestCluster.start();
  sql = new pg.Pool({ connectionString: cluster.database.url, max: 2 });
});
afterAll(async () => {
  await sql?.end();
  await cluster?.stop();
});

const someone = (name: string): string => `${name}-${randomUUID().slice(0, 8)}`;
const call = <T = any>(
  userId: string,
  method: string,
  path: string,
  body?: unknown,
  node = 0,
): Promise<RestAnswer<T>> => rest<T>(cluster.url(node), userId, method, path, body);
const get = async <T = any>(userId: string, path: string, node = 1): Promise<T> =>
  (await call<T>(userId, 'GET', path, undefined, node)).body;
const open = async (userId: string, kind: 'direct' | 'group', ...participantIds: string[]): Promise<string> =>
  (await call<Conversation>(userId, 'POST', '/v1/conversations', { kind, participantIds })).body.id;
const send = async (userId: string, id: string, text: string, more: object = {}): Promise<Message> =>
  (await call<Message>(userId, 'POST', `/v1/conversations/${id}/messages`, { content: { text }, ...more })).body;
const refusal = async (userId: string, method: string, path: string, body?: unknown): Promise<[number, string]> => {
  const answer = await call<{ code: string }>(userId, method, path, body, 1);
  return [answer.status, answer.body.code];
};
const badCursors = ['nonsense', 'WzFd', Buffer.from('[1,2,"a\u0000b"]').toString('base64url'), '%00', 'W10'];

describe('GET /v1/conversations/:id/participants', () => {
  it('lists each participant once, by role and time of joining, in pages', async () => {
    const [owner, admin] = [someone('owner'), someone('admin')];
    const members = Array.from({ length: 60 }, (_, i) => someone(`m${i}`));
    const id = await open(owner, 'group', ...members);
    await call(owner, 'POST', `/v1/conversations/${id}/participants`, { userIds: [admin] });
    await call(owner, 'PATCH', `/v1/conversations/${id}/participants/${admin}`, { role: 'admin' });
    const listed: Participant[] = [];
    let cursor: string | null = null;
    do {
      const path: string = `/v1/conversations/${id}/participants?limit=25${cursor ? `&cursor=${cursor}` : ''}`;
      const page: Page<Participant> = await get(members[59]!, path);
      expect(page.items.length).toBeLessThanOrEqual(25);
      listed.push(...page.items);
      cursor = page.nextCursor;
    } while (cursor !== null);
    expect(listed.slice(0, 2).map(({ userId, role }) => [userId, role])).toEqual([[owner, 'owner'], [admin, 'admin']]); // prettier-ignore
    expect(listed.map(({ userId }) => userId).sort()).toEqual([owner, admin, ...members].sort());
    const conversation = await get<Conversation>(members[59]!, `/v1/conversations/${id}`);
    expect(conversation.participants.slice(0, 49)).toEqual(listed.slice(0, 49));
    expect(conversation.participants).toHaveLength(50);
    const last = listed.at(-1)!.userId;
    const seen = await get<Conversation>(last, `/v1/conversations/${id}`);
    expect(seen.participants[49]).toEqual(seen.me);
    expect(seen.me).toEqual({
      userId: last,
      role: 'member',
      joinedAt: listed.at(-1)!.joinedAt,
      deliveredSeq: 0,
      readSeq: 0,
    });
  });

  it('withholds the cursors that a conversation withholds', async () => {
    const [alice, bob] = [someone('alice'), someone('bob')];
    const id = await open(alice, 'direct', bob);
    const { seq } = await send(alice, id, 'hello');
    await call(bob, 'POST', `/v1/conversations/${id}/read`, { seq });
    const readSeqOf = async () =>
      (await get<Page<Participant>>(alice, `/v1/conversations/${id}/participants`)).items.find(
        ({ userId }) => userId === bob,
      )!.readSeq;
    expect(await readSeqOf()).toBe(1);
    await call(bob, 'PATCH', '/v1/me', { privacy: { readReceipts: false } });
    await eventually(async () => expect(await readSeqOf()).toBe(0));
    expect((await get<Conversation>(bob, `/v1/conversations/${id}`)).me!.readSeq).toBe(1);
  });

  it('is not for others, and takes its own cursors only', async () => {
    const [alice, bob] = [someone('alice'), someone('bob')];
    const id = await open(alice, 'group', bob);
    const path = `/v1/conversations/${id}/participants`;
    expect(await refusal(someone('outsider'), 'GET', path)).toEqual([404, 'NOT_FOUND']);
    expect(await refusal(alice, 'GET', `/v1/conversations/${randomUUID()}/participants`)).toEqual([404, 'NOT_FOUND']);
    await call(bob, 'DELETE', `${path}/${bob}`);
    await eventually(async () => expect(await refusal(bob, 'GET', path)).toEqual([404, 'NOT_FOUND']));
    for (const cursor of badCursors) {
      expect([cursor, ...(await refusal(alice, 'GET', `${path}?cursor=${cursor}`))]).toEqual([
        cursor,
        400,
        'VALIDATION_FAILED',
      ]);
    }
    for (const limit of ['0', '-1', '201', '1e9', 'NaN', '1.5']) {
      expect([limit, (await refusal(alice, 'GET', `${path}?limit=${limit}`))[0]]).toEqual([limit, 400]);
    }
  });
});

describe('GET /v1/users', () => {
  const usersOf = async (userId: string, ids: string[]): Promise<User[]> =>
    (await get<{ items: User[] }>(userId, `/v1/users?${ids.map((id) => `userId=${encodeURIComponent(id)}`).join('&')}`))
      .items;

  it('answers oneself, contacts and those one shares a conversation with, in the order asked for', async () => {
    const [ivy, walter, carol, dave, stranger] = ['ivy', 'walter', 'carol,x', 'dave', 'stranger'].map(someone) as [
      string,
      string,
      string,
      string,
      string,
    ];
    await call(walter, 'PATCH', '/v1/me', { displayName: 'Walter', avatarUrl: 'https://x.example/w.png' });
    await call(stranger, 'PATCH', '/v1/me', { displayName: 'Stranger' });
    const id = await open(walter, 'group', ivy, dave);
    await call(ivy, 'PUT', `/v1/me/contacts/${encodeURIComponent(carol)}`);
    await call(stranger, 'PUT', `/v1/me/contacts/${ivy}`);
    const plain = { kind: 'person', displayName: null, avatarUrl: null, metadata: {} };
    const asked = [carol, stranger, walter, ivy, walter, dave];
    expect(await usersOf(ivy, asked)).toEqual([
      { id: carol, ...plain },
      { id: walter, ...plain, displayName: 'Walter', avatarUrl: 'https://x.example/w.png' },
      { id: ivy, ...plain },
      { id: dave, ...plain },
    ]);
    await call(walter, 'PUT', `/v1/me/blocks/${ivy}`);
    expect((await usersOf(ivy, [walter])).map((user) => user.id)).toEqual([walter]);
    await call(dave, 'DELETE', `/v1/conversations/${id}/participants/${dave}`);
    expect(await usersOf(ivy, [dave])).toEqual([]);
    expect(await get(walter, `/v1/users?userIds=${walter},${dave}`)).toEqual({
      items: [{ id: walter, ...plain, displayName: 'Walter', avatarUrl: 'https://x.example/w.png' }],
    });
  });

  it('takes 1 to 100 ids', async () => {
    const alice = someone('alice');
    const many = (count: number) => Array.from({ length: count }, (_, i) => `u${i}`).join();
    expect(await get(alice, `/v1/users?userIds=${many(100)}`)).toEqual({ items: [] });
    for (const query of ['', '?userIds=', `?userIds=${many(101)}`, '?userIds=a%00b', '?ids=a']) {
      expect([query, ...(await refusal(alice, 'GET', `/v1/users${query}`))]).toEqual([query, 400, 'VALIDATION_FAILED']);
    }
  });

  it('shows what kind of user one is oneself', async () => {
    expect(await get(someone('me'), '/v1/me')).toMatchObject({ kind: 'person', metadata: {} });
  });
});

describe('GET /v1/messages/:id', () => {
  it('is for those who can see the message', async () => {
    const [alice, bob, carol] = [someone('alice'), someone('bob'), someone('carol')];
    const id = await open(alice, 'group', bob);
    const message = await send(alice, id, 'hello');
    const path = `/v1/messages/${message.id}`;
    expect(await get(bob, path)).toEqual(message);
    await call(alice, 'POST', `/v1/conversations/${id}/participants`, { userIds: [carol] });
    // From before carol joined.
    expect(await refusal(carol, 'GET', path)).toEqual([404, 'NOT_FOUND']);
    expect(await refusal(someone('outsider'), 'GET', path)).toEqual([404, 'NOT_FOUND']);
    expect(await refusal(alice, 'GET', `/v1/messages/${randomUUID()}`)).toEqual([404, 'NOT_FOUND']);
    expect((await refusal(alice, 'GET', '/v1/messages/x'))[0]).toBe(400);
    await call(bob, 'DELETE', `${path}?scope=me`);
    expect(await refusal(bob, 'GET', path)).toEqual([404, 'NOT_FOUND']);
    await call(alice, 'DELETE', path);
    expect(await get(alice, path)).toMatchObject({ id: message.id, content: null, deletedAt: expect.any(String) });
    const expiring = await send(alice, id, 'short', { expiresInSeconds: 3_600 });
    await sql.query(`UPDATE messages SET expires_at = now() - interval '1 second' WHERE id = $1`, [expiring.id]);
    expect(await refusal(alice, 'GET', `/v1/messages/${expiring.id}`)).toEqual([404, 'NOT_FOUND']);
  });
});

describe('unread', () => {
  it('is counted over all conversations, and filters the list', async () => {
    const [alice, bob, carol] = [someone('alice'), someone('bob'), someone('carol')];
    const [direct, group, quiet] = [
      await open(bob, 'direct', alice),
      await open(carol, 'group', alice),
      await open(alice, 'group', bob),
    ];
    await send(bob, direct, 'one');
    const deleted = await send(bob, direct, 'two');
    for (const text of ['a', 'b', 'c']) await send(carol, group, text);
    await send(alice, quiet, 'my own');
    const list = async (query: string) =>
      (await get<Page<Conversation>>(alice, `/v1/conversations?${query}`)).items.map((one) => one.id);
    expect(await get(alice, '/v1/me/unread')).toEqual({ total: 5, conversations: 2 });
    await call(bob, 'DELETE', `/v1/messages/${deleted.id}`);
    expect(await get(alice, '/v1/me/unread')).toEqual({ total: 4, conversations: 2 });
    expect(await list('unread=true')).toEqual([group, direct]);
    expect(await list('unread=false')).toEqual([quiet]);
    expect(await list('kind=group')).toEqual([quiet, group]);
    expect(await list('kind=group&unread=true')).toEqual([group]);
    expect(await list('kind=direct&unread=true&limit=1')).toEqual([direct]);
    await call(alice, 'POST', `/v1/conversations/${group}/read`, { seq: 3 });
    expect(await get(alice, '/v1/me/unread')).toEqual({ total: 1, conversations: 1 });
    expect(await list('unread=true')).toEqual([direct]);
    for (const query of ['unread=maybe', 'kind=channel', 'archive=true'])
      expect((await refusal(alice, 'GET', `/v1/conversations?${query}`))[0]).toBe(400);
    expect(await get(someone('nobody'), '/v1/me/unread')).toEqual({ total: 0, conversations: 0 });
  });
});

describe('DELETE /v1/conversations/:id', () => {
  it('ends a group for all, on every node, and nothing of it is left', async () => {
    const [alice, bob, carol] = [someone('alice'), someone('bob'), someone('carol')];
    const id = await open(alice, 'group', bob, carol);
    const clients = await Promise.all([alice, bob, carol].map((userId, i) => cluster.connect(userId, i % 2)));
    const since = (await clients[1]!.ask('heartbeat')).syncToken;
    await clients[1]!.ask('join-conversation', id);
    const message = await send(alice, id, 'searchable');
    await call(bob, 'PUT', `/v1/messages/${message.id}/reactions/${encodeURIComponent('👍')}`);
    await call(alice, 'PATCH', `/v1/messages/${message.id}`, { content: { text: 'edited' } });
    const path = `/v1/conversations/${id}`;
    expect(await refusal(bob, 'DELETE', path)).toEqual([403, 'FORBIDDEN']);
    expect(await refusal(someone('outsider'), 'DELETE', path)).toEqual([404, 'NOT_FOUND']);
    expect((await call(alice, 'DELETE', path)).status).toBe(204);
    for (const client of clients) {
      const told = await client.waitFor('participant-removed');
      expect(told).toEqual({ conversationId: id, userId: client.userId, by: alice });
    }
    for (const userId of [alice, bob]) {
      expect(await refusal(userId, 'GET', path)).toEqual([404, 'NOT_FOUND']);
      expect(await refusal(userId, 'GET', `${path}/messages`)).toEqual([404, 'NOT_FOUND']);
      expect(await refusal(userId, 'GET', `/v1/messages/${message.id}`)).toEqual([404, 'NOT_FOUND']);
      expect(await refusal(userId, 'POST', `${path}/messages`, { content: { text: 'x' } })).toEqual([404, 'NOT_FOUND']);
      expect((await get<Page<Conversation>>(userId, '/v1/conversations')).items).toEqual([]);
    }
    expect(await refusal(alice, 'DELETE', path)).toEqual([404, 'NOT_FOUND']);
    expect((await clients[1]!.refused('typing-start', id)).code).toBe('NOT_FOUND');
    expect((await clients[1]!.ask('sync', { since })).removed).toEqual([id]);
    for (const client of clients) expect(client.of('participant-removed')).toHaveLength(1);
    await eventually(async () => {
      const { rows } = await sql.query(
        `SELECT (SELECT count(*)::int FROM messages WHERE conversation_id = $1) AS messages,
                (SELECT count(*)::int FROM reactions WHERE message_id = $2) AS reactions,
                (SELECT count(*)::int FROM message_revisions WHERE message_id = $2) AS revisions,
                (SELECT emptied_at IS NOT NULL FROM conversations WHERE id = $1) AS emptied`,
        [id, message.id],
      );
      expect(rows).toEqual([{ messages: 0, reactions: 0, revisions: 0, emptied: true }]);
    });
  });

  it('removes thousands of messages in steps', async () => {
    const [alice, bob] = [someone('alice'), someone('bob')];
    const id = await open(alice, 'group', bob);
    await sql.query(
      `INSERT INTO messages (conversation_id, seq, rev, id, sender_id, type, content, created_at)
       SELECT $1, n, n, gen_random_uuid(), $2, 'text', '{"text":"x"}', now() FROM generate_series(1, 3500) n`,
      [id, alice],
    );
    await sql.query('UPDATE conversations SET last_seq = 3500, last_rev = 3500 WHERE id = $1', [id]);
    await call(alice, 'DELETE', `/v1/conversations/${id}`);
    const left = () => sql.query('SELECT 1 FROM messages WHERE conversation_id = $1 LIMIT 1', [id]);
    await eventually(async () => expect((await left()).rows).toEqual([]));
  });

  it('is not for a direct conversation', async () => {
    const alice = someone('alice');
    const id = await open(alice, 'direct', someone('bob'));
    expect(await refusal(alice, 'DELETE', `/v1/conversations/${id}`)).toEqual([409, 'CONFLICT']);
  });
});
