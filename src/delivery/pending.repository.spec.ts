import pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { narrowMarks, overlooked } from '../../test/support/activity-marks.js';
import { startDatabase, type TestDatabase } from '../../test/setup/services.js';
import { Sql, type SqlRunner } from '../database/index.js';
import { DeviceRepository } from './device.repository.js';
import { PendingRepository } from './pending.repository.js';

// As if it had been changed long ago: marks reach no further than the last change.
const wearSql = `
  WITH worn AS (UPDATE conversations SET marked_until = changed_xid + 1 RETURNING id, marked_until)
  UPDATE user_activity a SET until_xid = w.marked_until FROM worn w WHERE w.id = a.conversation_id`;
const fillSql = `
  WITH made AS (
    INSERT INTO conversations (id, kind, last_seq, last_rev, participant_count)
    SELECT md5($1 || i)::uuid, 'group', 1, 1, 2 FROM generate_series(1, $2::int) i RETURNING id
  )
  INSERT INTO participants (conversation_id, user_id, role, delivered_seq, delivered_rev)
  SELECT id, u, 'member', 1, 1 FROM made, unnest(ARRAY[$1, 'writer']) u`;

describe('PendingRepository', () => {
  let database: TestDatabase;
  let pool: pg.Pool;
  let pending: PendingRepository;
  let devices: DeviceRepository;
  let users = 0;
  let phone: { userId: string; deviceId: string };

  // A server of its own: a transaction open in any other database would hold positions back.
  beforeAll(async () => {
    database = await startDatabase();
    pg.types.setTypeParser(20, Number);
    pool = new pg.Pool({ connectionString: database.url, max: 4 });
    pending = new PendingRepository(new Sql(pool));
    devices = new DeviceRepository(new Sql(pool));
  });
  afterAll(async () => {
    await pool.end();
    await database.drop();
  });
  beforeEach(() => void (phone = { userId: `reader-${++users}`, deviceId: 'phone' }));

  /** A user with so many conversations, all of which his phone has; none has changed for long. */
  async function reader(count: number): Promise<void> {
    await pool.query(fillSql, [phone.userId, count]);
    await pool.query(wearSql);
    await devices.touch([phone]);
  }

  const change = (n: number, sql: Pick<pg.Client, 'query'> = pool) =>
    sql.query(
      `UPDATE conversations SET last_rev = last_rev + 1, changed_xid = current_xid() WHERE id = md5($1)::uuid`,
      [`${phone.userId}${n}`],
    );
  const prove = (n: number) =>
    pool.query(
      `INSERT INTO device_cursors (user_id, device_id, conversation_id, seq, rev)
       SELECT $1, 'phone', id, last_seq, last_rev FROM conversations WHERE id = md5($2)::uuid
       ON CONFLICT (user_id, device_id, conversation_id) DO UPDATE SET seq = excluded.seq, rev = excluded.rev`,
      [phone.userId, `${phone.userId}${n}`],
    );
  /** Which of the user's conversations the phone lacks something of. */
  const look = async () => {
    const [found] = await pending.all([phone]);
    const { rows } = await pool.query('SELECT md5($1 || i)::uuid AS id, i FROM generate_series(1, 3000) i', [
      phone.userId,
    ]);
    const numbers = new Map(rows.map(({ id, i }) => [id, i]));
    return found!.map(({ conversationId }) => numbers.get(conversationId)).sort();
  };
  const position = async () => {
    const { rows } = await pool.query('SELECT backlog_above_xid AS xid FROM devices WHERE user_id = $1', [
      phone.userId,
    ]);
    return rows[0].xid as number | null;
  };

  async function blocksOfLook(): Promise<number> {
    const { rows } = await pool.query(
      `EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) SELECT * FROM device_backlogs(ARRAY[$1], ARRAY['phone'])`,
      [phone.userId],
    );
    const { Plan: plan } = rows[0]['QUERY PLAN'][0];
    return plan['Shared Hit Blocks'] + plan['Shared Read Blocks'];
  }

  it('touches what changed, not what exists', async () => {
    const blocks: number[][] = [];
    for (const count of [200, 3_000]) {
      phone.userId += `-${count}`;
      await reader(count);
      await pool.query('VACUUM ANALYZE');
      expect(await look()).toEqual([]);
      const nothing = await blocksOfLook();
      await change(100);
      blocks.push([nothing, await blocksOfLook()]);
      expect(await look()).toEqual([100]);
      await prove(100);
      expect(await look()).toEqual([]);
    }
    expect(blocks.flat().filter((count) => count > 80)).toEqual([]);
  });

  it('moves on past what changed and was proven, and looks at what is lacking until it is', async () => {
    await reader(60);
    await look();
    const first = await position();
    await change(1);
    for (let n = 2; n <= 40; n++) {
      await change(n);
      await prove(n);
    }
    await pool.query(wearSql);
    expect(await look()).toEqual([1]);
    // Its mark is the oldest.
    expect(await position()).toBe(first);
    await change(1);
    await pool.query(wearSql);
    expect(await look()).toEqual([1]);
    const second = await position();
    expect(second).toBeGreaterThan(first!);
    await change(50);
    expect(await look()).toEqual([1, 50]);
    await prove(1);
    await prove(50);
    expect(await look()).toEqual([]);
    expect(await overlooked(pool)).toEqual([]);
  });

  it('believes no position of another database, or from beyond the present', async () => {
    for (const [n, undo] of [
      [3, `backlog_of = 'another'`],
      [4, 'backlog_above_xid = backlog_above_xid + 1000000'],
    ] as const) {
      await pool.query('DELETE FROM devices');
      if (n === 3) await reader(20);
      else await devices.touch([phone]);
      await change(n);
      await pool.query(wearSql);
      await pool.query(`UPDATE devices SET backlog_of = left(database_epoch(), 16),
        backlog_above_xid = pg_snapshot_xmax(pg_current_snapshot())::text::bigint`);
      expect(await look()).not.toContain(n);
      await pool.query(`UPDATE devices SET ${undo}`);
      expect(await look()).toContain(n);
      // And has another one now.
      expect(await overlooked(pool)).toEqual([]);
    }
  });

  it('knows nothing of a device that was forgotten and comes anew', async () => {
    await reader(20);
    await look();
    expect(await position()).not.toBeNull();
    await devices.forget(new Sql(pool), phone);
    await devices.touch([phone]);
    expect(await position()).toBeNull();
  });

  it('waits for nobody who holds the device, and leaves its position', async () => {
    await reader(20);
    const other = new Sql(pool);
    await other.transaction(async (tx: SqlRunner) => {
      await tx.rows('SELECT 1 FROM devices WHERE user_id = $1 FOR UPDATE', [phone.userId]);
      expect(await look()).toEqual([]);
      expect(await position()).toBeNull();
    });
    await look();
    expect(await position()).not.toBeNull();
  });

  it('answers many devices at once, known or not, each its own', async () => {
    await reader(20);
    const tablet = { ...phone, deviceId: 'tablet' };
    const stranger = { userId: 'nobody', deviceId: 'phone' };
    await devices.touch([tablet]);
    await pending.all([phone]);
    await change(1);
    await change(2);
    await prove(1);
    const counts = async () => (await pending.all([tablet, stranger, phone, phone])).map((found) => found.length);
    expect(await counts()).toEqual([2, 0, 1, 1]);
    expect(await counts()).toEqual([2, 0, 1, 1]);
  });

  it('finds what a transaction changed that was open at the look before', async () => {
    await reader(60);
    await narrowMarks(pool);
    const slow = await pool.connect();
    await slow.query('BEGIN');
    await change(7, slow);
    // Later ids end first.
    for (let n = 10; n < 60; n++) await change(n);
    expect(await look()).toHaveLength(50);
    for (let n = 10; n < 60; n++) await prove(n);
    expect(await look()).toEqual([]);
    await slow.query('COMMIT');
    slow.release();
    expect(await look()).toEqual([7]);
  });
});
