/** A start that must not go on: one line that names the setting, an exit code, and soon. */
import { randomBytes } from 'node:crypto';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { once } from 'node:events';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { spawnSource } from '../setup/node-process.js';
import { createDatabase, type TestDatabase } from '../setup/services.js';
import { testSecret } from '../support/client.js';
import { startStandby } from '../support/standby.js';
import type { EmbeddedPostgres } from '../../src/embedded/index.js';
import { atMost } from '../setup/patience.js';

const unique = randomBytes(4).toString('hex');
const [readOnly, latin, foreign, guest] = ['read_only', 'latin', 'foreign', 'guest'].map(
  (name) => `${name}_${unique}`,
) as [string, string, string, string];

let database: TestDatabase;
let standby: EmbeddedPostgres;
let occupied: Server;

beforeAll(async () => {
  database = await createDatabase();
  standby = await startStandby();
  await administer(
    `CREATE DATABASE ${readOnly}`,
    `ALTER DATABASE ${readOnly} SET default_transaction_read_only = on`,
    `CREATE DATABASE ${latin} ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C' LOCALE_PROVIDER libc TEMPLATE template0`,
    `CREATE DATABASE ${foreign}`,
    `CREATE ROLE ${guest} LOGIN PASSWORD 'x'`,
  );
  occupied = createServer().listen(0, '0.0.0.0');
  await once(occupied, 'listening');
});

afterAll(async () => {
  occupied?.close();
  await administer(
    ...[readOnly, latin, foreign].map((name) => `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`),
    `DROP ROLE IF EXISTS ${guest}`,
  );
  await standby?.stop();
  await database?.drop();
});

async function administer(...statements: string[]): Promise<void> {
  const client = new pg.Client({ connectionString: database.url });
  await client.connect();
  for (const statement of statements) await client.query(statement);
  await client.end();
}

interface End {
  code: number | null;
  output: string;
}

async function start(env: NodeJS.ProcessEnv): Promise<End> {
  const given = { DATABASE_URL: database.url, JWT_SECRET: testSecret, PORT: '0', LOG_LEVEL: 'warn', REDIS_URL: '' };
  const child = await spawnSource('main.js', { NODE_ENV: '', ...given, ...env });
  let output = '';
  for (const stream of [child.stdout!, child.stderr!]) stream.on('data', (chunk: Buffer) => (output += String(chunk)));
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, output };
}

const withPath = (path: string, user?: string) =>
  Object.assign(new URL(path, database.url), user === undefined ? {} : { username: user, password: 'x' }).href;
const as = (username: string, password: string) => Object.assign(new URL(database.url), { username, password }).href;

describe('the start ends with one line that names the setting', () => {
  it.each<[what: string, line: RegExp, env: () => NodeJS.ProcessEnv]>([
    ['a wrong number', /^TYPING_TTL_MS: /, () => ({ TYPING_TTL_MS: '5s' })],
    [
      'a default production does not know',
      /^JWT_SECRET: /,
      () => ({ NODE_ENV: 'production', JWT_SECRET: '', REDIS_URL: 'redis://cache' }),
    ],
    [
      'a port that is taken, before any service is started',
      /^PORT: \d+ is in use/,
      () => ({ PORT: String((occupied.address() as AddressInfo).port), DATABASE_URL: '', DATA_DIR: '/dev/null' }),
    ],
    ['an address of another machine', /^HOST: /, () => ({ HOST: '192.0.2.1' })],
    ['no Postgres', /^DATABASE_URL: cannot connect: /, () => ({ DATABASE_URL: 'postgres://u:secret@127.0.0.1:9/db' })],
    ['no such database', /^DATABASE_URL: .*3D000/, () => ({ DATABASE_URL: withPath('/nowhere') })],
    ['a wrong password', /^DATABASE_URL: .*28P01/, () => ({ DATABASE_URL: as('parley', 'secret') })],
    ['no password', /^DATABASE_URL: .*password/, () => ({ DATABASE_URL: as('parley', '') })],
    [
      'TLS that the server does not have',
      /^DATABASE_URL: .*SSL/,
      () => ({ DATABASE_URL: withPath('?sslmode=require') }),
    ],
    [
      'a host nobody knows',
      /^DATABASE_URL: .*ENOTFOUND|EAI_AGAIN/,
      () => ({ DATABASE_URL: 'postgres://u:secret@no.invalid/d' }),
    ],
    [
      'hosts none of which answers',
      /^DATABASE_URL: .*127.0.0.1:9: .*127.0.0.1:10: /,
      () => ({ DATABASE_URL: 'postgres://u:secret@127.0.0.1:9,127.0.0.1:10/d' }),
    ],
    [
      'the folder of no socket',
      /^DATABASE_URL: .*ENOENT/,
      () => ({ DATABASE_URL: 'postgres://u:secret@/d?host=/nowhere' }),
    ],
    [
      'a password that is not escaped',
      /^DATABASE_URL: .*%2F/,
      () => ({ DATABASE_URL: 'postgres://u:sec/ret@127.0.0.1/d' }),
    ],
    ['a standby', /^DATABASE_URL: leads to a standby/, () => ({ DATABASE_URL: standby.url })],
    [
      'a database that is read-only',
      /^DATABASE_URL: leads to a database that is read-only/,
      () => ({ DATABASE_URL: withPath(`/${readOnly}`) }),
    ],
    [
      'a database that is not UTF-8',
      /^DATABASE_URL: .*encoding LATIN1/,
      () => ({ DATABASE_URL: withPath(`/${latin}`) }),
    ],
    [
      'a role without the right to create tables',
      /^DATABASE_URL: migrations cannot run: permission denied/,
      () => ({ DATABASE_URL: withPath(`/${foreign}`, guest) }),
    ],
    [
      'a schema that cannot be read',
      /^DATABASE_URL: cannot be read: permission denied/,
      () => ({ DATABASE_URL: as(guest, 'x'), MIGRATIONS_RUN: 'false' }),
    ],
    [
      'a schema nobody has migrated',
      /^MIGRATIONS_RUN: is false, .* lacks \d+ migrations/,
      () => ({ MIGRATIONS_RUN: 'false', DATABASE_URL: withPath('/postgres') }),
    ],
  ])('%s', async (_what, line, env) => {
    const startedAt = performance.now();
    const { code, output } = await start(env());
    expect(output.trimEnd().split('\n')).toEqual([expect.stringMatching(line)]);
    expect(output).not.toContain('secret@');
    expect(code).toBe(1);
    expect(performance.now() - startedAt).toBeLessThan(atMost(20_000));
  });
});

it('a schema that is ahead is taken as it is, without migrations', async () => {
  const client = new pg.Client({ connectionString: database.url });
  await client.connect();
  await client.query("INSERT INTO migrations (timestamp, name) VALUES (9999999999999, 'Later9999999999999')");
  await client.end();
  const child = await spawnSource('main.js', {
    NODE_ENV: '',
    DATABASE_URL: database.url,
    REDIS_URL: '',
    JWT_SECRET: testSecret,
    PATH: '/nowhere',
    PORT: '0',
    MIGRATIONS_RUN: 'false',
  });
  child.stderr!.resume();
  let output = '';
  await new Promise<void>((resolve) => {
    child.stdout!.on('data', (chunk: Buffer) => {
      output += String(chunk);
      if (output.includes('Parley listens')) resolve();
    });
    child.once('exit', () => resolve());
  });
  child.kill('SIGTERM');
  expect((await once(child, 'exit'))[0]).toBe(0);
});
