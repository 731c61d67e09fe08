import { afterAll, beforeAll, expect, it } from 'vitest';
import type { ErrorBody } from '../../src/common/index.js';
import { SlowSql, Sql } from '../../src/database/index.js';
import { rest, type TestClient } from '../support/client.js';
import { TestCluster } from '../support/cluster.js';
import { directConversation } from '../support/conversations.js';
import { range } from '../support/hearing.js';
import { patient } from '../setup/patience.js';

const poolSize = 2;
const [atOnce, waiting] = [2, 6];

let cluster: TestCluster;
let conversationId: string;
let alice: TestClient;

beforeAll(async () => {
  cluster = await TestCluster.start({
    redis: false,
    settings: { databaseSlowPoolSize: poolSize, databaseTimeoutMs: 20_000, eventTimeoutMs: 20_000 },
  });
  conversationId = await directConversation(cluster.url(), 's-alice', 's-bob');
  alice = await cluster.connect('s-alice');
});

afterAll(() => cluster?.stop());

const search = (userId: string) => rest<ErrorBody>(cluster.url(), userId, 'GET', '/v1/search/messages?q=x');

/** Keeps every connection of the pool for slow reads busy, as slow statements would. */
async function occupy(slow: SlowSql): Promise<() => Promise<void>> {
  let end = (): void => undefined;
  const ended = new Promise<void>((resolve) => (end = resolve));
  const busy = range(1, poolSize).map(() => slow.transaction(() => ended));
  await expect.poll(() => slow.usage).toMatchObject({ total: poolSize, idle: 0 });
  return async () => {
    end();
    await Promise.all(busy);
  };
}

it('40 searches of one user at once wait for each other or are refused, and nobody else waits', async () => {
  const app = cluster.nodes[0]!.app!;
  const [slow, quick] = [app.get(SlowSql), app.get(Sql)];
  const release = await occupy(slow);

  const refused: ErrorBody[] = [];
  const searches = range(1, 40).map(async () => {
    const { status, body } = await search('s-mallory');
    if (status === 429) refused.push(body);
    return status;
  });
  await expect.poll(() => refused.length, { timeout: patient(15_000) }).toBe(40 - atOnce - waiting);
  for (const body of refused) expect(body).toMatchObject({ code: 'RATE_LIMITED', retryAfterMs: 1_000 });
  expect(slow.usage.waiting).toBe(atOnce);
  expect(quick.usage.waiting).toBe(0);

  await alice.ask('send-message', { conversationId, content: { text: 'meanwhile' } });
  expect((await alice.ask('get-messages', { conversationId })).messages).toHaveLength(1);
  expect((await alice.ask('sync', { since: null })).messages).toHaveLength(1);
  expect((await rest(cluster.url(), 's-bob', 'GET', '/v1/conversations')).status).toBe(200);

  await release();
  const statuses = await Promise.all(searches);
  expect(statuses.filter((status) => status === 200)).toHaveLength(atOnce + waiting);
  expect((await search('s-mallory')).status).toBe(200);
});
