/**
 * A storm: many devices with missed messages connect at once, to two nodes (issue C).
 *
 * Prints the time until the last device has everything, Postgres transactions per device, and the
 * nodes' memory. Needs `npm run build` before. `--help` tells the options.
 */
import { spawn } from 'node:child_process';
import { createHmac, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { freePort, startEmbeddedPostgres, startEmbeddedRedis } from '../../dist/embedded/index.js';
import { numberOf, readCommandLine } from '../../scripts/command-line.mjs';
import { requireRedisServer } from './harness/services.mjs';
import { WireClient } from './wire-client.mjs';

const usage = `npm run bench:storm -- [options]
  --devices N          that connect at once (default 1000)
  --missed N           messages each of them has missed (default 20)
  --flush              Redis is emptied before`;
const { values } = readCommandLine(usage, {
  options: {
    devices: { type: 'string', default: '1000' },
    missed: { type: 'string', default: '20' },
    flush: { type: 'boolean', default: false },
  },
});
const deviceCount = numberOf(values, 'devices');
const missedCount = numberOf(values, 'missed');
const main = join(dirname(fileURLToPath(import.meta.url)), '../../dist/main.js');
const secret = randomBytes(32).toString('hex');
// The time after which the queue of a device that left is whole, and a margin.
const seeThroughMs = 8_000;

function tokenFor(userId) {
  const encode = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const now = Math.floor(Date.now() / 1_000);
  const body = `${encode({ alg: 'HS256', typ: 'JWT' })}.${encode({ sub: userId, iat: now, exp: now + 3_600 })}`;
  return `${body}.${createHmac('sha256', secret).update(body).digest('base64url')}`;
}

function memoryMb({ pid }) {
  return Math.round(Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) / 1_024);
}

async function startNode(databaseUrl, redisUrl) {
  const port = await freePort();
  const env = {
    PATH: process.env.PATH,
    PORT: String(port),
    HOST: '127.0.0.1',
    DATABASE_URL: databaseUrl,
    REDIS_URL: redisUrl,
    JWT_SECRET: secret,
    LOG_LEVEL: 'warn',
    RATE_MESSAGES_PER_SECOND: '1000000',
    RATE_MESSAGES_BURST: '1000000',
    RATE_EVENTS_PER_SECOND: '1000000',
    RATE_EVENTS_BURST: '1000000',
    RATE_REQUESTS_PER_SECOND: '1000000',
    RATE_REQUESTS_BURST: '1000000',
    NEW_CONVERSATIONS_PER_DAY: '1000000',
  };
  const child = spawn(process.execPath, [main], { env, stdio: ['ignore', 'pipe', 'inherit'] });
  await new Promise((resolve, reject) => {
    child.stdout.on('data', (chunk) => String(chunk).includes('Parley listens') && resolve());
    child.once('exit', (code) => reject(new Error(`ended with ${code}`)));
  });
  return { child, url: `http://127.0.0.1:${port}` };
}

async function createDirect(url, caller, other) {
  const response = await fetch(`${url}/v1/conversations`, {
    method: 'POST',
    headers: { authorization: `Bearer ${tokenFor(caller)}`, 'content-type': 'application/json' },
    body: JSON.stringify({ kind: 'direct', participantIds: [other] }),
  });
  return (await response.json()).id;
}

function connect(url, userId, deviceId, onEvent = () => undefined) {
  return new WireClient(url, { token: tokenFor(userId), deviceId }, onEvent);
}

const ask = (client, event, payload) => new Promise((resolve) => client.emit(event, payload, resolve));

async function inWaves(items, size, work) {
  for (let i = 0; i < items.length; i += size) await Promise.all(items.slice(i, i + size).map(work));
}

async function storm(nodes, users) {
  const startedMs = performance.now();
  const times = [];
  const clients = [];
  await Promise.all(
    users.map(
      (userId, i) =>
        new Promise((resolve, reject) => {
          const seen = new Set();
          const client = connect(nodes[i % nodes.length].url, userId, 'phone', (event, payload) => {
            if (event !== 'new-message') return;
            seen.add(payload.seq);
            if (seen.size < missedCount) return;
            times.push(performance.now() - startedMs);
            resolve();
          });
          client.ready.catch(reject);
          clients.push(client);
        }),
    ),
  );
  return { times: times.sort((a, b) => a - b), clients };
}

await requireRedisServer('npm run bench:storm');
const dataDir = await mkdtemp(join(tmpdir(), 'parley-storm-'));
const postgres = await startEmbeddedPostgres({ dataDir });
const redis = await startEmbeddedRedis({ dataDir });
const nodes = [await startNode(postgres.url, redis.url), await startNode(postgres.url, redis.url)];
const database = new pg.Client({ connectionString: postgres.url });
await database.connect();
const transactions = async () => {
  await database.query('SELECT pg_stat_force_next_flush()');
  const { rows } = await database.query(
    'SELECT xact_commit AS n FROM pg_stat_database WHERE datname = current_database()',
  );
  return Number(rows[0].n);
};

try {
  const users = Array.from({ length: deviceCount }, (_, i) => `user-${i}`);
  await inWaves(users, 100, async (userId) => {
    const client = connect(nodes[0].url, userId, 'phone');
    await client.ready;
    client.close();
  });
  const sender = connect(nodes[0].url, 'sender', 'bench');
  await sender.ready;
  const conversationIds = [];
  await inWaves(users, 50, async (userId) => conversationIds.push(await createDirect(nodes[0].url, 'sender', userId)));
  await sleep(seeThroughMs);
  await inWaves(conversationIds, 100, async (conversationId) => {
    for (let i = 0; i < missedCount; i++) {
      await ask(sender, 'send-message', { conversationId, content: { text: `message ${i}` } });
    }
  });
  if (values.flush) await spawnFlush(redis.url);
  await sleep(2_000);
  const before = await transactions();
  const memoryBefore = nodes.map(({ child }) => memoryMb(child));
  const { times, clients } = await storm(nodes, users);
  const memoryAfter = nodes.map(({ child }) => memoryMb(child));
  await sleep(3_000);
  const perDevice = ((await transactions()) - before) / deviceCount;
  console.log(
    JSON.stringify({
      devices: deviceCount,
      missed: missedCount,
      flushed: values.flush,
      medianMs: Math.round(times[Math.floor(times.length / 2)]),
      lastMs: Math.round(times.at(-1)),
      transactionsPerDevice: Number(perDevice.toFixed(2)),
      memoryMb: { before: memoryBefore, after: memoryAfter },
    }),
  );
  for (const client of [...clients, sender]) client.close();
} finally {
  for (const { child } of nodes) child.kill('SIGKILL');
  await database.end();
  await redis.stop();
  await postgres.stop();
  await rm(dataDir, { recursive: true, force: true });
}

async function spawnFlush(url) {
  const { default: Redis } = await import('ioredis');
  const client = new Redis(url);
  await client.flushall();
  client.disconnect();
}
