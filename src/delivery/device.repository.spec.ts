import { setTimeout as pause } from 'node:timers/promises';
import pg from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createDatabase, type TestDatabase } from '../../test/setup/services.js';
import { Sql } from '../database/index.js';
import { DeviceRepository } from './device.repository.js';

let database: TestDatabase;
let pool: pg.Pool;
let devices: DeviceRepository;

beforeAll(async () => {
  database = await createDatabase();
  // Joined as many devices are: in the order in which they lie there.
  const options = '-c enable_sort=off -c enable_nestloop=off -c enable_mergejoin=off';
  pool = new pg.Pool({ connectionString: database.url, options });
  devices = new DeviceRepository(new Sql(pool));
});
afterAll(async () => {
  await pool.end();
  await database.drop();
});

it('does not deadlock when a node drains and its devices come to another at that moment', async () => {
  const keys = Array.from({ length: 40 }, (_, i) => ({ userId: `user-${i}`, deviceId: 'phone' }));
  for (const key of [...keys].reverse()) await devices.touch([key]);
  const first = keys.map(({ userId }) => userId).sort()[0];
  const held = await pool.connect();
  await held.query('BEGIN');
  await held.query('SELECT FROM devices WHERE user_id = $1 FOR UPDATE', [first]);
  const leaving = devices.left([...keys].reverse().map((key) => ({ ...key, provenAgeMs: null })));
  await pause(200);
  // Whoever waits for the first row holds none behind it.
  const { rowCount } = await held.query('SELECT FROM devices WHERE user_id <> $1 FOR UPDATE NOWAIT', [first]);
  expect(rowCount).toBe(keys.length - 1);
  await held.query('COMMIT');
  held.release();
  await leaving;
});
