import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { DataSource } from 'typeorm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { unmarked } from '../../test/support/activity-marks.js';
import { createDatabase, type TestDatabase } from '../../test/setup/services.js';
import { dataSourceOptions } from './data-source.options.js';
import { runMigrations } from './migrate.js';

let database: TestDatabase;
let pool: pg.Pool;

beforeAll(async () => {
  database = await createDatabase();
  pool = new pg.Pool({ connectionString: database.url });
});
afterAll(async () => {
  await pool.end();
  await database.drop();
});

async function undo(name: RegExp): Promise<void> {
  const dataSource = await new DataSource(
    dataSourceOptions({ url: database.url, poolSize: 1, timeoutMs: 10_000 }),
  ).initialize();
  const isDone = async () => {
    const { rows } = await pool.query<{ name: string }>('SELECT name FROM migrations');
    return !rows.some((row) => name.test(row.name));
  };
  while (!(await isDone())) await dataSource.undoLastMigration({ transaction: 'each' });
  await dataSource.destroy();
}

async function addConversation(userIds: string[]): Promise<string> {
  const id = randomUUID();
  await pool.query(
    `WITH made AS (
       INSERT INTO conversations (id, kind, last_seq, participant_count) VALUES ($1, 'group', 1, $2) RETURNING id)
     INSERT INTO participants (conversation_id, user_id, role) SELECT id, u, 'member' FROM made, unnest($3::text[]) u`,
    [id, userIds.length, userIds],
  );
  return id;
}

const readSql = `SELECT * FROM advance_receipts(ARRAY[$1::uuid], ARRAY[$2], ARRAY[NULL::bigint], ARRAY[NULL::bigint], ARRAY[1::bigint])`;

describe('the marks of a database that was there before them', () => {
  it('cover everyone, those who have left and more than one step of conversations, and are kept from then on', async () => {
    await undo(/^Activity/);
    expect((await pool.query(`SELECT to_regclass('user_activity') AS found`)).rows).toEqual([{ found: null }]);
    const ids = await Promise.all(Array.from({ length: 3 }, () => addConversation(['ann', 'ben', 'cat'])));
    await pool.query(
      `INSERT INTO conversations (id, kind) SELECT gen_random_uuid(), 'group' FROM generate_series(1, 1200)`,
    );
    await pool.query(
      `INSERT INTO participants (conversation_id, user_id, role) SELECT id, 'dan', 'member' FROM conversations`,
    );
    await pool.query(
      `UPDATE participants SET left_at = now(), changed_xid = current_xid() WHERE conversation_id = $1 AND user_id = 'cat'`,
      [ids[0]],
    );
    // The statement of a process of the version before, prepared before the migrations run.
    const old = await pool.connect();
    expect((await old.query({ name: 'read', text: readSql, values: [ids[0], 'ann'] })).rows).toHaveLength(1);

    await runMigrations(database.url);
    expect(await unmarked(pool)).toEqual([]);
    await old.query({ name: 'read', text: readSql, values: [ids[1], 'ann'] });
    await pool.query('UPDATE conversations SET changed_xid = current_xid() WHERE id = $1', [ids[2]]);
    old.release();
    expect(await unmarked(pool)).toEqual([]);
    const { rows } = await pool.query(`SELECT count(*)::int AS n FROM conversations WHERE marked_until > 0`);
    expect(rows).toEqual([{ n: 2 }]);
  });
});
