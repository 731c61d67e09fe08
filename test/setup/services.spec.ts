import pg from 'pg';
import { afterAll, expect, it } from 'vitest';
import { createDatabase, sharedRedisUrl, startRedis } from './services.js';

const closing: (() => Promise<void>)[] = [];
afterAll(() => Promise.all(closing.map((close) => close())));

async function valueOf(url: string, text: string): Promise<unknown> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  const { rows } = await client.query<{ value: unknown }>(text);
  await client.end();
  return rows[0]?.value;
}

it('gives each caller a migrated database of its own', async () => {
  const [one, two] = await Promise.all([createDatabase(), createDatabase()]);
  closing.push(one.drop, two.drop);
  expect(one.url).not.toBe(two.url);
  expect(await valueOf(one.url, 'SELECT count(*)::int AS value FROM migrations')).toBeGreaterThan(0);
});

it('restarts a Redis on the same port, empty and with another process', async () => {
  const redis = await startRedis();
  closing.push(redis.stop);
  const { pid } = redis;
  await redis.kill('SIGKILL');
  await redis.restart();
  expect(redis.pid).not.toBe(pid);
  await redis.flushAll();
});

it('shares one Redis within a file', async () => {
  expect(await sharedRedisUrl()).toBe(await sharedRedisUrl());
});
