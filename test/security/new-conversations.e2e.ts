import pg from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { ErrorBody } from '../../src/common/index.js';
import { rest } from '../support/client.js';
import { TestCluster } from '../support/cluster.js';
import { range } from '../support/hearing.js';

const perDay = 5;
const dayMs = 86_400_000;

let cluster: TestCluster;

beforeAll(async () => {
  cluster = await TestCluster.start({ nodes: 2, settings: { newConversationsPerDay: perDay } });
});

afterAll(() => cluster?.stop());

const group = (userId: string, node = 0) =>
  rest<ErrorBody>(cluster.url(node), userId, 'POST', '/v1/conversations', { kind: 'group', participantIds: ['x'] });
const direct = (userId: string, other: string) =>
  rest<ErrorBody>(cluster.url(), userId, 'POST', '/v1/conversations', { kind: 'direct', participantIds: [other] });

async function query(text: string, values: unknown[]): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: cluster.database.url });
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(text, values)).rows;
  } finally {
    await client.end();
  }
}

it('counts the new conversations of a user over all nodes, also those asked for at once', async () => {
  const answers = await Promise.all(range(1, 20).map((i) => group('n-mallory', i % 2)));
  const statuses = answers.map(({ status }) => status);
  expect(statuses.filter((status) => status === 201)).toHaveLength(perDay);
  const refused = answers.filter(({ status }) => status === 429);
  expect(refused).toHaveLength(20 - perDay);
  for (const { body, headers } of refused) {
    expect(body).toMatchObject({ code: 'RATE_LIMITED', retryable: true });
    expect(body.retryAfterMs).toBeGreaterThan(dayMs - 600_000);
    expect(body.retryAfterMs).toBeLessThanOrEqual(dayMs);
    expect(headers.get('retry-after')).toBe(String(Math.ceil(body.retryAfterMs! / 1_000)));
  }
  const [stored] = await query('SELECT count(*)::int AS count FROM participants WHERE user_id = $1', ['n-mallory']);
  expect(stored).toEqual({ count: perDay });
  expect((await group('n-other')).status).toBe(201);
});

it('does not count a direct conversation that is there already, nor one that is refused', async () => {
  for (const i of range(1, 8)) expect((await direct('n-alice', 'n-bob')).status).toBe(i === 1 ? 201 : 200);
  for (let i = 0; i < 8; i++) expect((await direct('n-bob', 'n-alice')).status).toBe(200);
  expect((await direct('n-alice', 'n-alice')).status).toBe(400);
  for (let i = 1; i < perDay; i++) expect((await group('n-alice')).status).toBe(201);
  expect((await direct('n-alice', 'n-carol')).status).toBe(429);
  expect((await direct('n-alice', 'n-bob')).status).toBe(200);
  expect((await direct('n-carol', 'n-alice')).status).toBe(201);
});

it('lets a user create again when a conversation of theirs is a day old', async () => {
  for (let i = 0; i < perDay; i++) expect((await group('n-dave')).status).toBe(201);
  const age = (hours: number) =>
    query(
      `UPDATE new_conversations
       SET created_at[1] = clock_timestamp() - make_interval(hours => $2) WHERE user_id = $1`,
      ['n-dave', hours],
    );
  await age(23);
  const { status, body } = await group('n-dave');
  expect(status).toBe(429);
  expect(body.retryAfterMs).toBeGreaterThan(3_000_000);
  expect(body.retryAfterMs).toBeLessThanOrEqual(3_600_000);
  await age(24);
  expect((await group('n-dave')).status).toBe(201);
  expect((await group('n-dave')).status).toBe(429);
});
