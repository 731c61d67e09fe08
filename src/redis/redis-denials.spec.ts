import { readdirSync, readFileSync } from 'node:fs';
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { startRedis, type TestRedis } from '../../test/setup/services.js';
import { loadLua } from './lua-script.js';
import { RedisConnection } from './redis-connection.js';
import { RedisHealth } from './redis-health.js';
import { connectionLeasesKey } from './redis-keys.js';
import { eventually } from '../../test/setup/patience.js';

const acquireLease = loadLua(import.meta.url, './acquire-lease.lua');
const all = ['on', '>pw', '~*', '&*', '+@all'];
let redis: TestRedis;
let admin: Redis;
let connection: RedisConnection;

const rights = (...words: string[]) => admin.call('acl', 'setuser', 'app', 'reset', ...all, ...words);
const open = async () => {
  connection = await RedisConnection.open(`redis://app:pw@127.0.0.1:${redis.port}`, 1_000);
};
const acquire = () => connection.commands.run(acquireLease, [connectionLeasesKey('alice')], ['c', 5, 1_000]);
const health = () => new RedisHealth(connection).check();

beforeAll(async () => {
  redis = await startRedis();
  admin = new Redis(redis.port);
});

afterEach(() => connection.close());

afterAll(async () => {
  admin.disconnect();
  await redis.stop();
});

const denials: [string, string[]][] = [
  ['scripts', ['-@scripting']],
  ['scripts by digest', ['-evalsha']],
  ['a command of a script', ['-zadd']],
  ['dangerous commands', ['-@dangerous', '-info']],
  ['writing', ['-@write']],
  ['publishing', ['-publish']],
  ['subscribing', ['-subscribe']],
  ['all channels', ['resetchannels']],
  ['all keys', ['resetkeys']],
  ['other keys than those of somebody else', ['resetkeys', '~theirs:*']],
];

it.each(denials)('says at start which right is missing: %s', async (_name, words) => {
  await rights(...words);
  await open();
  await eventually(() => expect(health().detail).toMatch(/NOPERM|permission|can't (run|access)/i), { timeout: 8_000 });
  expect(health().status).toBe('down');
  const answer = await acquire().catch((error: unknown) => error);
  if (answer !== 1) expect(answer).toMatchObject({ code: 'UNAVAILABLE' });
});

it.each(denials)(
  'notices while it runs that a right was taken away and given back: %s',
  async (_name, words) => {
    await rights();
    await open();
    expect(health().status).toBe('up');
    await rights(...words);
    // Redis looks at the right to subscribe when the subscription is made.
    await admin.client('KILL', 'TYPE', 'pubsub');
    await eventually(() => expect(health().detail).toMatch(/NOPERM|permission|can't (run|access)/i), {
      timeout: 10_000,
    });
    const answer = await acquire().catch((error: unknown) => error);
    if (answer !== 1) expect(answer).toMatchObject({ code: 'UNAVAILABLE' });
    await rights();
    await eventually(() => expect(health().status).toBe('up'), { timeout: 10_000 });
    expect(await acquire()).toBe(1);
  },
  25_000,
);

it('stays red for a right that its probe does not need, and answers UNAVAILABLE', async () => {
  await rights('resetkeys', '~*probe:*');
  await open();
  expect(connection.commands.fault).toBeNull();
  await expect(acquire()).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  expect(health()).toMatchObject({ status: 'down', detail: expect.stringMatching(/NOPERM/) as string });
});

it('tries every command that a script uses', () => {
  const commandsOf = (path: string) =>
    [...readFileSync(path, 'utf8').matchAll(/(?:redis\.p?call|try)\('([A-Z]+)'/g)].map(([, name]) => name!);
  const scripts = readdirSync('src', { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.lua') && !path.endsWith('try-commands.lua'))
    .map((path) => `src/${path}`);
  const used = new Set(scripts.flatMap(commandsOf));
  const tried = new Set(commandsOf('src/redis/try-commands.lua'));
  expect(used.size).toBeGreaterThan(10);
  expect([...used].filter((name) => !tried.has(name))).toEqual([]);
});
