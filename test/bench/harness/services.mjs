import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { findRedisServer, startEmbeddedPostgres, startEmbeddedRedis } from '../../../dist/embedded/index.js';
import { giveUp } from '../../../scripts/command-line.mjs';

/**
 * Ends the process where there is none. Not installed, as `npm test` does: a measurement changes
 * nothing on its machine.
 */
export async function requireRedisServer(command) {
  if ((await findRedisServer()) === null) giveUp(`${command} needs redis-server or valkey-server on the PATH`, 1);
}

/**
 * Starts a real Postgres, durable as it comes (fsync is on), and a real Redis, in a directory of
 * their own.
 *
 * @returns their addresses and process ids, `createDatabase(name)`, `query(url, text, values)` and
 *   `stop()`
 */
export async function startServices() {
  await requireRedisServer('npm run bench');
  const dataDir = await mkdtemp(join(tmpdir(), 'parley-bench-'));
  const postgres = await startEmbeddedPostgres({ dataDir });
  const redis = await startEmbeddedRedis({ dataDir });
  const fsync = (await query(postgres.url, 'SHOW fsync'))[0].fsync;
  return {
    dataDir,
    fsync,
    redisUrl: redis.url,
    postgresPid: readFileSync(join(dataDir, 'postgres', 'postmaster.pid'), 'utf8').split('\n')[0],
    redisPid: await redisPid(redis.url),
    createDatabase: (name) => createDatabase(postgres.url, name),
    async stop() {
      await redis.stop();
      await postgres.stop();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

/** Runs one statement. @returns its rows */
export async function query(url, text, values) {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(text, values)).rows;
  } finally {
    await client.end();
  }
}

let databases = 0;

async function createDatabase(url, name) {
  const unique = `${name.replaceAll('-', '_')}_${++databases}`;
  await query(url, `CREATE DATABASE ${unique}`);
  return Object.assign(new URL(url), { pathname: `/${unique}` }).href;
}

async function redisPid(url) {
  const { Redis } = await import('ioredis');
  const client = new Redis(url);
  const info = await client.info('server');
  client.disconnect();
  return Number(/process_id:(\d+)/.exec(info)[1]);
}
