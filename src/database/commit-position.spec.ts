import { execFile } from 'node:child_process';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { startEmbeddedPostgres, type EmbeddedPostgres } from '../embedded/index.js';
import { isOfPresent, isPastComplete, pastColumns, type DatabasePast } from './commit-position.js';
import { runMigrations } from './migrate.js';

let parent: string;
let postgres: EmbeddedPostgres;

const settings = { fsync: 'off' };
const start = async () => (postgres = await startEmbeddedPostgres({ dataDir: join(parent, 'data'), settings }));
// Owners are kept: when root runs the tests, Postgres is another user.
const copy = (from: string, to: string) => promisify(execFile)('cp', ['-a', join(parent, from), join(parent, to)]);

async function query<T>(work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: postgres.url });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

/** As `SyncRepository` reads it. */
async function readPast(client: pg.Client): Promise<DatabasePast> {
  const { rows } = await client.query(`SELECT ${pastColumns}`);
  const past = { ...rows[0], xmax: Number(rows[0].xmax) } as DatabasePast;
  return isPastComplete(past) ? past : readPast(client);
}

/** The past as it is now, and after as many more transactions. */
const past = (transactions = 0) =>
  query(async (client) => {
    for (let i = 0; i < transactions; i++) await client.query('SELECT current_xid()');
    return readPast(client);
  });

beforeAll(async () => {
  parent = await mkdtemp(join(inject('runDir'), 'position-'));
  await chmod(parent, 0o755);
  await start();
  await runMigrations(postgres.url);
});
afterAll(async () => {
  await postgres.stop();
  await rm(parent, { recursive: true, force: true });
});

describe('a position', () => {
  it('means nothing in another database, in the future, or after a start nobody knows', () => {
    const name = '0123456789abcdef';
    const now: DatabasePast = { epoch: `${name}5a`, xmax: 900, starts: { '4b': 700, '5a': null } };
    expect(isOfPresent(`${name}5a`, 900, now)).toBe(true);
    expect(isOfPresent(`${name}5a`, 901, now)).toBe(false);
    expect(isOfPresent(`${name}4b`, 700, now)).toBe(true);
    expect(isOfPresent(`${name}4b`, 701, now)).toBe(false);
    expect(isOfPresent(`${name}3c`, 1, now)).toBe(false);
    expect(isOfPresent(name, 1, now)).toBe(false);
    expect(isOfPresent('1123456789abcdef5a', 1, now)).toBe(false);
  });

  it('survives a restart of Postgres, and not that a copy of its disk is put back', async () => {
    const early = await past();
    await postgres.stop();
    await copy('data', 'backup');
    await start();
    const late = await past(20);
    expect(late.epoch).not.toBe(early.epoch);
    for (const { epoch, xmax } of [early, late]) expect(isOfPresent(epoch, xmax, late)).toBe(true);
    await postgres.stop();
    await start();
    const later = await past(20);
    for (const { epoch, xmax } of [early, late, later]) expect(isOfPresent(epoch, xmax, later)).toBe(true);

    await postgres.stop();
    await rm(join(parent, 'data'), { recursive: true });
    await copy('backup', 'data');
    await start();
    // As many transactions later that the ids alone would pass.
    const restored = await past(100);
    expect(restored.xmax).toBeGreaterThan(later.xmax);
    expect(isOfPresent(early.epoch, early.xmax, restored)).toBe(true);
    for (const { epoch, xmax } of [late, later]) expect(isOfPresent(epoch, xmax, restored)).toBe(false);
  });

  it('means nothing once the tables were filled anew, in the same database', async () => {
    const before = await past();
    await query((client) => client.query('TRUNCATE conversations, messages CASCADE'));
    const after = await past();
    expect(isOfPresent(before.epoch, before.xmax, after)).toBe(false);
    expect(isOfPresent(after.epoch, after.xmax, after)).toBe(true);
  });
});
