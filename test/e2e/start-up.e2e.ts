/** A start that must not go on: one line that names the setting, an exit code, and soon. */
import { createServer, type AddressInfo, type Server } from 'node:net';
import { once } from 'node:events';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { spawnSource } from '../setup/node-process.js';
import { createDatabase, type TestDatabase } from '../setup/services.js';
import { testSecret } from '../support/client.js';
import { atMost } from '../setup/patience.js';

let database: TestDatabase;
let occupied: Server;

beforeAll(async () => {
  database = await createDatabase();
  occupied = createServer().listen(0, '0.0.0.0');
  await once(occupied, 'listening');
});

afterAll(async () => {
  occupied?.close();
  await database?.drop();
});

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

const withPath = (path: string) => new URL(path, database.url).href;

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
    ['no such database', /^DATABASE_URL: /, () => ({ DATABASE_URL: withPath('/nowhere') })],
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
