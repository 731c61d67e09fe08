import type pg from 'pg';
import { SettingsError } from '../config/index.js';
import { singleConnection } from './postgres.client.js';
import { reasonOf } from './reason.js';

const rounds = 3;
const answerMs = 5_000;

/**
 * Finds a pooler that gives a connection another server process after each transaction, such as
 * PgBouncer with `pool_mode = transaction`: prepared statements, advisory locks and settings of a
 * session do not survive there.
 *
 * While one connection holds a transaction open, another asks which server process it has. In a
 * session of its own that is always the same one, and never that of the other connection.
 *
 * @throws SettingsError
 */
export async function assertNoTransactionPooler(url: string): Promise<void> {
  const [a, b] = [singleConnection(url), singleConnection(url)];
  try {
    const first = await pidOf(a);
    for (let round = 0; round < rounds; round += 1) {
      const held = await pidInTransaction(b);
      const now = await pidOf(a);
      await b.query({ text: 'COMMIT', query_timeout: answerMs } as pg.QueryConfig);
      if (held === first || now !== first) throw refusal();
    }
  } finally {
    for (const client of [a, b]) void client.end().catch(() => undefined);
  }
}

const connected = new WeakSet<pg.Client>();

async function pidOf(client: pg.Client): Promise<number> {
  if (!connected.has(client)) await client.connect();
  connected.add(client);
  const query = { text: 'SELECT pg_backend_pid() AS pid', query_timeout: answerMs };
  return (await client.query<{ pid: number }>(query)).rows[0]!.pid;
}

async function pidInTransaction(client: pg.Client): Promise<number> {
  if (!connected.has(client)) await client.connect();
  connected.add(client);
  try {
    await client.query({ text: 'BEGIN', query_timeout: answerMs } as pg.QueryConfig);
  } catch (error) {
    // PgBouncer with `pool_mode = statement`.
    if (/transaction blocks? not allowed/i.test(reasonOf(error))) throw refusal();
    throw error;
  }
  return pidOf(client);
}

function refusal(): SettingsError {
  return new SettingsError([
    'DATABASE_URL: leads through a pooler in transaction or statement mode (PgBouncer: pool_mode); use pool_mode = session, or connect to Postgres itself',
  ]);
}
