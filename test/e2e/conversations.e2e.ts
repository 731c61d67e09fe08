import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Conversation, Message, Page } from '../../src/common/index.js';
import { rest, type RestAnswer } from '../support/client.js';
import { TestCluster } from '../support/cluster.js';

let cluster: TestCluster;
let sql: pg.Pool;
beforeAll(async () => {
  cluster = await TestCluster.start({ settings: { maxGroupSize: 5 } });
  sql = new pg.Pool({ connectionString: cluster.database.url, max: 2 });
});
afterAll(async () => {
  await sql?.end();
  await cluster?.stop();
});

/** User ids nobody else has. */
function someUsers(count: number): string[] {
  return Array.from({ length: count }, (_, i) => `user-${i}-${randomUUID().slice(0, 8)}`);
}

/** Calls REST as a user, of node 0 or 1. */
const call = <T>(userId: string, method: string, path: string, body?: unknown, node = 0): Promise<RestAnswer<T>> =>
  rest<T>(cluster.url(node), userId, method, path, body);

type Problem = { code: string; detail: string; details?: { path: string }[] };

const create = (userId: string, body: object, node = 0) =>
  call<Conversation>(userId, 'POST', '/v1/conversations', body, node);

async function send(userId: string, conversationId: string, text: string): Promise<Message> {
  const sent = await call<Message>(userId, 'POST', `/v1/conversations/${conversationId}/messages`, {
    content: { text },
  });
  expect(sent.status).toBe(201);
  return sent.body;
}

describe('a direct conversation', () => {
  it('is one and the same, also when both ask at once on two nodes', async () => {
    const [alice, bob] = someUsers(2) as [string, string];
    const answers = await Promise.all(
      Array.from({ length: 10 }, (_, i) =>
        i % 2 === 0
          ? create(alice, { kind: 'direct', participantIds: [bob] }, 0)
          : create(bob, { kind: 'direct', participantIds: [alice] }, 1),
      ),
    );
    expect(new Set(answers.map(({ body }) => body.id)).size).toBe(1);
    expect(answers.map(({ status }) => status).sort()).toEqual([...Array(9).fill(200), 201]);
    expect(answers[0]!.body).toMatchObject({ kind: 'direct', title: null, participantCount: 2, unreadCount: 0 });
    expect(answers[0]!.body.participants.map(({ userId, role }) => [userId, role])).toEqual(
      [alice, bob].sort().map((userId) => [userId, 'member']),
    );
  });

  it('needs exactly one other user, and has no title', async () => {
    const [alice, bob, carol] = someUsers(3) as [string, string, string];
    for (const participantIds of [[], [alice], [bob, carol]]) {
      expect((await create(alice, { kind: 'direct', participantIds })).status).toBe(400);
    }
    const titled = await create(alice, { kind: 'direct', participantIds: [bob], title: 'No' });
    expect([titled.status, (titled.body as unknown as Problem).code]).toEqual([409, 'CONFLICT']);
    const { body } = await create(alice, { kind: 'direct', participantIds: [bob] });
    expect((await call(alice, 'PATCH', `/v1/conversations/${body.id}`, { title: 'No' })).status).toBe(409);
  });

  it('opens also where one has blocked the other, new or not, and takes no message there', async () => {
    const [alice, bob, carol] = someUsers(3) as [string, string, string];
    const { body } = await create(alice, { kind: 'direct', participantIds: [bob] });
    await sql.query('INSERT INTO blocks (user_id, blocked_id) VALUES ($1, $2), ($3, $1)', [alice, bob, carol]);
    const opened = await create(alice, { kind: 'direct', participantIds: [carol] });
    expect([opened.status, (await create(carol, { kind: 'direct', participantIds: [alice] })).body.id]).toEqual([
      201,
      opened.body.id,
    ]);
    for (const sender of [alice, carol]) {
      const path = `/v1/conversations/${opened.body.id}/messages`;
      expect((await call(sender, 'POST', path, { content: { text: 'hi' } })).status).toBe(403);
    }
    const again = await create(bob, { kind: 'direct', participantIds: [alice] });
    expect([again.status, again.body.id]).toEqual([200, body.id]);
  });
});

describe('a group', () => {
  it('is owned by its creator and reaches all participants on both nodes, the creator’s sockets included', async () => {
    const [alice, bob, carol] = someUsers(3) as [string, string, string];
    const listeners = await Promise.all([
      cluster.connect(alice, 0),
      cluster.connect(alice, 1),
      cluster.connect(bob, 0),
      cluster.connect(bob, 1),
    ]);
    const { status, body } = await create(alice, {
      kind: 'group',
      participantIds: [bob, bob, alice, carol],
      title: 'T',
    });
    expect(status).toBe(201);
    expect(body).toMatchObject({ kind: 'group', title: 'T', lastSeq: 0, lastMessage: null, participantCount: 3 });
    expect(new Map(body.participants.map(({ userId, role }) => [userId, role]))).toEqual(
      new Map([
        [alice, 'owner'],
        [bob, 'member'],
        [carol, 'member'],
      ]),
    );
    for (const listener of listeners) {
      expect(await listener.waitFor<Conversation>('conversation-created')).toEqual({
        ...body,
        me: body.participants.find(({ userId }) => userId === listener.userId),
      });
      expect(listener.of('conversation-created')).toHaveLength(1);
    }
  });

  it('is refused when too large, or when its payload is not as it should be', async () => {
    const users = someUsers(6);
    expect((await create(users[0]!, { kind: 'group', participantIds: users })).status).toBe(409);
    for (const body of [
      {},
      { kind: 'room', participantIds: [] },
      { kind: 'group' },
      { kind: 'group', participantIds: 'bob' },
      { kind: 'group', participantIds: [7] },
      { kind: 'group', participantIds: ['a\u0007b'] },
      { kind: 'group', participantIds: ['x'.repeat(129)] },
      { kind: 'group', participantIds: [], title: '' },
      { kind: 'group', participantIds: [], title: 'x'.repeat(257) },
      { kind: 'group', participantIds: [], colour: 'red' },
    ]) {
      const answer = await create(users[0]!, body);
      expect([body, answer.status]).toEqual([body, 400]);
    }
  });

  it('is renamed by owner and admin, and everybody hears', async () => {
    const [alice, bob] = someUsers(2) as [string, string];
    const { body } = await create(alice, { kind: 'group', participantIds: [bob], title: 'Old' });
    const listener = await cluster.connect(bob, 1);
    const path = `/v1/conversations/${body.id}`;
    expect((await call(bob, 'PATCH', path, { title: 'Mine' })).status).toBe(403);
    expect((await call(alice, 'PATCH', path, {})).status).toBe(400);
    const renamed = await call<Conversation>(alice, 'PATCH', path, { title: 'New' });
    expect([renamed.status, renamed.body.title]).toEqual([200, 'New']);
    expect((await listener.waitFor<Conversation>('conversation-updated')).title).toBe('New');
    expect((await call<Conversation>(alice, 'PATCH', path, { title: null })).body.title).toBeNull();
  });
});

describe('what a user sees of a conversation', () => {
  it('counts others’ visible messages as unread and shows the newest', async () => {
    const [alice, bob] = someUsers(2) as [string, string];
    const { body } = await create(alice, { kind: 'direct', participantIds: [bob] });
    for (const text of ['1', '2', '3', '4']) await send(alice, body.id, text);
    await send(bob, body.id, 'mine');
    const hidden = await send(alice, body.id, 'hidden');
    await send(alice, body.id, 'expired');
    await sql.query('UPDATE messages SET deleted_at = now() WHERE conversation_id = $1 AND seq = 1', [body.id]);
    await sql.query(`UPDATE messages SET expires_at = now() - interval '1 s' WHERE conversation_id = $1 AND seq = 7`, [
      body.id,
    ]);
    await sql.query('INSERT INTO hidden_messages (user_id, conversation_id, seq, message_id) VALUES ($1, $2, $3, $4)', [
      bob,
      body.id,
      hidden.seq,
      hidden.id,
    ]);
    await sql.query(
      'UPDATE participants SET read_seq = 2, delivered_seq = 2 WHERE conversation_id = $1 AND user_id = $2',
      [body.id, bob],
    );
    const seen = (await call<Conversation>(bob, 'GET', `/v1/conversations/${body.id}`)).body;
    expect(seen.unreadCount).toBe(2);
    expect(seen.lastMessage).toMatchObject({ seq: 5, content: { text: 'mine' } });
    expect(seen.lastSeq).toBe(7);
    const others = (await call<Conversation>(alice, 'GET', `/v1/conversations/${body.id}`)).body;
    expect(others.unreadCount).toBe(1);
    expect(others.lastMessage).toEqual(hidden);
  });

  it('does not tell a conversation of others from none', async () => {
    const [alice, bob, eve] = someUsers(3) as [string, string, string];
    const { body } = await create(alice, { kind: 'direct', participantIds: [bob] });
    const listener = await cluster.connect(eve, 1);
    const answers: unknown[] = [];
    for (const id of [body.id, '00000000-0000-0000-0000-000000000000']) {
      const { status, body: problem } = await call<Problem>(eve, 'GET', `/v1/conversations/${id}`);
      const refusal = await listener.refused('join-conversation', id);
      answers.push([status, problem.code, problem.detail, refusal.code, refusal.message]);
    }
    expect(answers[0]).toEqual(answers[1]);
    expect(answers[0]).toEqual([404, 'NOT_FOUND', expect.any(String), 'NOT_FOUND', expect.any(String)]);
    expect((await call(eve, 'GET', '/v1/conversations/nonsense')).status).toBe(400);
  });

  it('joins and leaves by a bare id', async () => {
    const [alice, bob] = someUsers(2) as [string, string];
    const { body } = await create(alice, { kind: 'direct', participantIds: [bob] });
    const listener = await cluster.connect(bob, 1);
    const joined = await listener.ask('join-conversation', body.id);
    const me = body.participants.find(({ userId }) => userId === bob);
    expect(joined).toEqual({ conversation: { ...body, me }, typing: [] });
    expect(await listener.ask('leave-conversation', { conversationId: body.id })).toEqual({
      conversationId: body.id,
    });
    expect((await listener.refused('join-conversation', { conversationId: body.id, loud: true })).code).toBe(
      'VALIDATION_FAILED',
    );
  });
});

describe('the list', () => {
  it('shows newest activity first, page by page, each conversation once', async () => {
    const [alice, ...others] = someUsers(5) as [string, ...string[]];
    const ids: string[] = [];
    for (const other of others) {
      ids.unshift((await create(alice, { kind: 'direct', participantIds: [other] })).body.id);
    }
    await send(alice, ids[3]!, 'up');
    const expected = [ids[3], ids[0], ids[1], ids[2]];
    const found: string[] = [];
    let cursor: string | null = '';
    while (cursor !== null) {
      const query: string = cursor === '' ? '' : `&cursor=${cursor}`;
      const page: Page<Conversation> = (
        await call<Page<Conversation>>(alice, 'GET', `/v1/conversations?limit=3${query}`, undefined, 1)
      ).body;
      found.push(...page.items.map(({ id }) => id));
      cursor = page.nextCursor;
    }
    expect(found).toEqual(expected);
  });

  it('refuses a limit above the page size and a cursor it has not made', async () => {
    const [alice] = someUsers(1) as [string];
    for (const query of ['limit=0', 'limit=201', 'limit=x', 'cursor=abc', 'cursor=WzEsMl0', 'page=2']) {
      expect([query, (await call(alice, 'GET', `/v1/conversations?${query}`)).status]).toEqual([query, 400]);
    }
  });
});
