import pg from 'pg';
import { DataSource } from 'typeorm';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { freePort } from '../embedded/index.js';
import { createDatabase, type TestDatabase } from '../../test/setup/services.js';
import { startStandby } from '../../test/support/standby.js';
import { dataSourceOptions } from './data-source.options.js';
import { singleConnection } from './postgres.client.js';
import { Sql } from './sql.js';

const closing: (() => unknown)[] = [];

afterEach(async () => {
  vi.unstubAllEnvs();
  for (const close of closing.splice(0).toReversed()) await close();
});

async function freshDatabase(): Promise<TestDatabase> {
  const database = await createDatabase();
  closing.push(() => database.drop());
  return database;
}

async function administer(url: string, ...statements: string[]): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  for (const statement of statements) await client.query(statement);
  await client.end();
}

async function poolOn(url: string): Promise<Sql> {
  const dataSource = await new DataSource(dataSourceOptions({ url, poolSize: 2, timeoutMs: 2_500 })).initialize();
  closing.push(() => dataSource.destroy());
  return new Sql((dataSource.driver as unknown as { master: pg.Pool }).master);
}

async function connected(url: string): Promise<pg.Client> {
  const client = singleConnection(url);
  closing.push(() => client.end());
  await client.connect();
  return client;
}

/** What others may have set, and what a session of ours has. */
const settings: [name: string, foreign: string, ours: string][] = [
  ['DateStyle', 'German, DMY', 'ISO, MDY'],
  ['IntervalStyle', 'iso_8601', 'postgres'],
  ['TimeZone', 'Asia/Kathmandu', 'UTC'],
  ['bytea_output', 'escape', 'hex'],
  ['extra_float_digits', '-10', '1'],
  ['array_nulls', 'off', 'on'],
  ['transform_null_equals', 'on', 'off'],
  ['quote_all_identifiers', 'on', 'off'],
  ['default_transaction_isolation', 'serializable', 'read committed'],
  ['default_transaction_deferrable', 'on', 'off'],
  ['session_replication_role', 'replica', 'origin'],
  ['row_security', 'off', 'on'],
  ['gin_fuzzy_search_limit', '1', '0'],
  ['plan_cache_mode', 'force_custom_plan', 'auto'],
  ['statement_timeout', '1h', '2500ms'],
  ['lock_timeout', '1ms', '2500ms'],
  ['idle_in_transaction_session_timeout', '1ms', '2500ms'],
  ['idle_session_timeout', '1h', '0'],
  ['transaction_timeout', '1h', '0'],
  ['client_min_messages', 'error', 'notice'],
  ['synchronous_commit', 'off', 'on'],
];

describe('a session', () => {
  it.each(['of the database', 'of the role', 'of the role in the database'])(
    'has the settings that statements rely on, whatever those %s are',
    async (where) => {
      const { url } = await freshDatabase();
      const name = new URL(url).pathname.slice(1);
      const role = `role_${name}`;
      const target = {
        'of the database': `DATABASE ${name}`,
        'of the role': `ROLE ${role}`,
        'of the role in the database': `ROLE ${role} IN DATABASE ${name}`,
      }[where]!;
      await administer(
        url,
        `CREATE ROLE ${role} LOGIN SUPERUSER PASSWORD 'x'`,
        ...settings.map(([setting, foreign]) => `ALTER ${target} SET ${setting} = '${foreign}'`),
      );
      closing.push(() => administer(url, `DROP OWNED BY ${role}`, `DROP ROLE ${role}`));
      const sql = await poolOn(Object.assign(new URL(url), { username: role, password: 'x' }).href);
      const shown = await sql.rows<{ name: string; setting: string }>(
        `SELECT name, current_setting(name) AS setting FROM unnest($1::text[]) AS wanted (name)`,
        [settings.map(([setting]) => setting)],
      );
      expect(shown.map(({ name: setting, setting: value }) => [setting, value])).toEqual(
        settings.map(([setting, , ours]) => [setting, ours]),
      );
      const [row] = await sql.rows<{ at: Date }>(`SELECT timestamptz '2026-12-01T11:00:00Z' AS at`);
      expect(row!.at.toISOString()).toBe('2026-12-01T11:00:00.000Z');
    },
  );

  it('takes nothing from the environment', async () => {
    const { url } = await freshDatabase();
    const foreign: Record<string, string> = {
      PGHOST: '192.0.2.1',
      PGPORT: '1',
      PGUSER: 'nobody',
      PGPASSWORD: 'wrong',
      PGDATABASE: 'nowhere',
      PGSSLMODE: 'require',
      PGSSLNEGOTIATION: 'direct',
      PGOPTIONS: '-c statement_timeout=1 -c no_such_setting=1',
      PGAPPNAME: 'psql',
      PGCLIENTENCODING: 'LATIN1',
      PGCLIENT_ENCODING: 'LATIN1',
      PGREPLICATION: 'true',
      PGTZ: 'Asia/Kathmandu',
      PGDATESTYLE: 'German',
      PGPASSFILE: '/nowhere',
    };
    for (const [name, value] of Object.entries(foreign)) vi.stubEnv(name, value);
    const client = await connected(url);
    const { rows } = await client.query(
      `SELECT current_setting('application_name') AS app, current_setting('client_encoding') AS encoding,
              current_setting('statement_timeout') AS timeout, current_database() AS database`,
    );
    expect(rows).toEqual([{ app: 'parley', encoding: 'UTF8', timeout: '0', database: new URL(url).pathname.slice(1) }]);
  });
});

describe('of several hosts', () => {
  const withHosts = (url: string, hosts: string) => url.replace(/@[^/]+/, `@${hosts}`);

  it('the one is taken that answers', async () => {
    const { url } = await freshDatabase();
    const live = new URL(url).host;
    const sql = await poolOn(withHosts(url, `127.0.0.1:${await freePort()},${live}`));
    expect(await sql.rows('SELECT 1 AS one')).toEqual([{ one: 1 }]);
  });

  it('the one is taken that takes writes', async () => {
    const { url } = await freshDatabase();
    const { host, pathname } = new URL(url);
    const role = `either_${pathname.slice(1)}`;
    const create = `CREATE ROLE ${role} LOGIN PASSWORD 'x'`;
    await administer(url, create);
    closing.push(() => administer(url, `DROP ROLE ${role}`));
    const standby = await startStandby(create, `CREATE DATABASE ${pathname.slice(1)}`);
    closing.push(() => standby.stop());
    const hosts = `${new URL(standby.url).host},${host}`;
    const client = await connected(`postgres://${role}:x@${hosts}${pathname}`);
    expect((await client.query('SELECT pg_is_in_recovery() AS standby')).rows).toEqual([{ standby: false }]);
    await expect(connected(`postgres://${role}:x@${new URL(standby.url).host},127.0.0.1:1${pathname}`)).rejects.toThrow(
      /the server is a standby or read-only.*; 127\.0\.0\.1:1: .*ECONNREFUSED/,
    );
  });

  it('none that answers is an error with the reason of each', async () => {
    const { url } = await freshDatabase();
    const [a, b] = [await freePort(), await freePort()];
    const client = singleConnection(withHosts(url, `127.0.0.1:${a},127.0.0.1:${b}`));
    await expect(client.connect()).rejects.toThrow(
      new RegExp(`no host takes writes: 127.0.0.1:${a}: .*ECONNREFUSED.*; 127.0.0.1:${b}: .*ECONNREFUSED`),
    );
  });
});
