import pg from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Sql } from '../../src/database/index.js';
import { rest, type TestClient } from '../support/client.js';
import { TestCluster } from '../support/cluster.js';
import { directConversation } from '../support/conversations.js';
import { range } from '../support/hearing.js';
import { patient } from '../setup/patience.js';

const atOnce = 4;

let cluster: TestCluster;
let holder: pg.Client;
let watcher: pg.Client;
let alice: TestClient;

beforeAll(async () => {
  cluster = await TestCluster.start({
    redis: false,
    settings: { databaseTimeoutMs: 20_000, eventTimeoutMs: 20_000 },
  });
  [holder, watcher] = [0, 1].map(() => new pg.Client({ connectionString: cluster.database.url })) as [
    pg.Client,
    pg.Client,
  ];
  await Promise.all([holder.connect(), watcher.connect()]);
  alice = await cluster.connect('t-alice');
});

afterAll(async () => {
  await Promise.all([holder?.end(), watcher?.end()]);
  await cluster?.stop();
});

async function waitingForLocks(): Promise<number> {
  const { rows } = await watcher.query<{ count: number }>(
    `SELECT count(*)::int AS count FROM pg_stat_activity
     WHERE datname = current_database() AND wait_event_type = 'Lock'`,
  );
  return rows[0]!.count;
}

/** What others do while all that one user has started waits for a lock. */
async function othersGoOn(): Promise<void> {
  const conversationId = await directConversation(cluster.url(), 't-alice', `t-${Math.random()}`);
  const { message } = await alice.ask('send-message', { conversationId, content: { text: 'meanwhile' } });
  await alice.ask('add-reaction', { messageId: message.id, emoji: '👍' });
  expect((await alice.ask('get-messages', { conversationId })).messages).toHaveLength(1);
  expect(cluster.nodes[0]!.app!.get(Sql).usage.waiting).toBe(0);
}

it.each([
  [
    'reactions to a message of a conversation that is locked',
    async () => {
      const mallory = await cluster.connect('t-mallory');
      const conversationId = await directConversation(cluster.url(), 't-mallory', 't-bob');
      const { message } = await mallory.ask('send-message', { conversationId, content: { text: 'x' } });
      mallory.close();
      return {
        lock: () => holder.query('SELECT 1 FROM conversations WHERE id = $1 FOR UPDATE', [conversationId]),
        act: () =>
          rest(cluster.url(), 't-mallory', 'PUT', `/v1/messages/${message.id}/reactions/${encodeURIComponent('👍')}`),
      };
    },
  ],
  [
    'new groups of a user whose count is locked',
    async () => {
      const act = () =>
        rest(cluster.url(), 't-mallory', 'POST', '/v1/conversations', { kind: 'group', participantIds: ['t-bob'] });
      await act();
      return {
        lock: () => holder.query(`SELECT 1 FROM new_conversations WHERE user_id = 't-mallory' FOR UPDATE`),
        act,
      };
    },
  ],
])('40 %s take four connections, and nobody else waits', async (_what, prepare) => {
  const { lock, act } = await prepare();
  await holder.query('BEGIN');
  await lock();
  const acts = range(1, 40).map(act);
  await expect.poll(waitingForLocks, { timeout: patient(15_000) }).toBe(atOnce);
  await othersGoOn();
  expect(await waitingForLocks()).toBe(atOnce);
  await holder.query('ROLLBACK');
  const statuses = (await Promise.all(acts)).map(({ status }) => status);
  expect(statuses.filter((status) => status === 200 || status === 201)).toHaveLength(40);
});
