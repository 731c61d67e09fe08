/**
 * `node test/bench/presence.mjs`: typing broadcasts and presence changes per second on one node
 * with Redis, against a bare Socket.IO relay (with the Redis adapter) that emits to the same
 * sockets; and Redis commands per change of a user with many contacts.
 *
 * Options: `--seconds 4 --listeners 50 --in-flight 8 --contacts 5000 --server dist --json FILE`.
 */
import { spawn } from 'node:child_process';
import { createHmac, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { Redis } from 'ioredis';
import pg from 'pg';
import { WireClient } from './wire-client.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '4' },
    listeners: { type: 'string', default: '50' },
    'in-flight': { type: 'string', default: '8' },
    contacts: { type: 'string', default: '5000' },
    server: { type: 'string', default: join(here, '../../dist') },
    json: { type: 'string' },
  },
});
const seconds = Number(values.seconds);
const listenerCount = Number(values.listeners);
const inFlight = Number(values['in-flight']);
const contactCount = Number(values.contacts);
const server = resolve(values.server);
const { freePort, startEmbeddedPostgres, startEmbeddedRedis } = await import(
  pathToFileURL(join(server, 'embedded/index.js')).href
);
const secret = randomBytes(32).toString('hex');

function tokenFor(userId) {
  const encode = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const now = Math.floor(Date.now() / 1_000);
  const body = `${encode({ alg: 'HS256', typ: 'JWT' })}.${encode({ sub: userId, iat: now, exp: now + 3_600 })}`;
  return `${body}.${createHmac('sha256', secret).update(body).digest('base64url')}`;
}

const children = [];
async function start(args, env, word) {
  const child = spawn(process.execPath, args, {
    env: { PATH: process.env.PATH, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  children.push(child);
  let output = '';
  await new Promise((isReady, fail) => {
    child.stdout.on('data', (chunk) => {
      output += chunk;
      if (output.includes(word)) isReady();
    });
    child.once('exit', (code) => fail(new Error(`ended with ${code}: ${output}`)));
  });
}

/** Connects sockets that count what they hear of one event. */
async function listen(count, authOf, url, event) {
  const heard = { count: 0 };
  const clients = Array.from(
    { length: count },
    (_, i) => new WireClient(url, authOf(i), (name) => (heard.count += name === event ? 1 : 0)),
  );
  await Promise.all(clients.map((client) => client.ready));
  return { heard, clients };
}

const ask = (client, event, payload) =>
  new Promise((done, fail) =>
    client.emit(event, payload, (ack) => (ack.ok ? done(ack.data) : fail(new Error(JSON.stringify(ack.error))))),
  );

/** Has each actor act, one after the other, for some seconds; waits until all was heard. */
async function measure(actors, act, heard, perAct) {
  const before = heard.count;
  const endsAt = performance.now() + seconds * 1_000;
  let acts = 0;
  const startedAt = performance.now();
  await Promise.all(
    actors.map(async (actor) => {
      for (let i = 0; performance.now() < endsAt; i++) {
        await act(actor, i);
        acts += 1;
      }
    }),
  );
  const tookMs = performance.now() - startedAt;
  await sleep(1_000);
  const expected = acts * perAct;
  return {
    changesPerSecond: Math.round((acts * 1_000) / tookMs),
    heardShare: expected === 0 ? null : (heard.count - before) / expected,
  };
}

const typeAndStop = (client, i, conversationId) =>
  ask(client, i % 2 === 0 ? 'typing-start' : 'typing-stop', { conversationId });
const dataDir = await mkdtemp(join(tmpdir(), 'parley-bench-presence-'));
const services = {};
const result = {};
try {
  const postgres = (services.postgres = await startEmbeddedPostgres({ dataDir }));
  const redis = (services.redis = await startEmbeddedRedis({ dataDir }));
  const [port, relayPort] = [await freePort(), await freePort()];
  const rates = Object.fromEntries(
    [
      'MESSAGES_PER_SECOND',
      'MESSAGES_BURST',
      'EVENTS_PER_SECOND',
      'EVENTS_BURST',
      'REQUESTS_PER_SECOND',
      'REQUESTS_BURST',
    ].map((name) => [`RATE_${name}`, '1000000']),
  );
  const env = {
    PORT: String(port),
    HOST: '127.0.0.1',
    DATABASE_URL: postgres.url,
    REDIS_URL: redis.url,
    JWT_SECRET: secret,
    LOG_LEVEL: 'warn',
    TYPING_MAX_PARTICIPANTS: '100000',
    ...rates,
  };
  await start([join(server, 'main.js')], env, 'Parley listens');
  await start([join(here, 'relay.mjs'), '--port', String(relayPort), '--redis', redis.url], {}, 'ready');
  const [url, relayUrl] = [`http://127.0.0.1:${port}`, `http://127.0.0.1:${relayPort}`];

  const members = Array.from({ length: listenerCount }, (_, i) => `listener${i}`);
  const actors = Array.from({ length: inFlight }, (_, i) => `actor${i}`);
  const response = await fetch(`${url}/v1/conversations`, {
    method: 'POST',
    headers: { authorization: `Bearer ${tokenFor('actor0')}`, 'content-type': 'application/json' },
    body: JSON.stringify({ kind: 'group', participantIds: [...members, ...actors] }),
  });
  const { id: conversationId } = await response.json();

  const typing = await listen(listenerCount, (i) => ({ token: tokenFor(members[i]) }), url, 'user-typing');
  for (const client of typing.clients) await ask(client, 'join-conversation', { conversationId });
  const typists = (await listen(inFlight, (i) => ({ token: tokenFor(actors[i]) }), url, '')).clients;
  result.typing = await measure(
    typists,
    (client, i) => typeAndStop(client, i, conversationId),
    typing.heard,
    listenerCount,
  );

  const rooms = [conversationId];
  const relayed = await listen(listenerCount, (i) => ({ userId: members[i], rooms }), relayUrl, 'user-typing');
  const relayActors = (await listen(inFlight, (i) => ({ userId: actors[i], rooms: [] }), relayUrl, '')).clients;
  result.relay = await measure(
    relayActors,
    (client) => ask(client, 'typing-start', { conversationId }),
    relayed.heard,
    listenerCount,
  );

  // Presence: the listeners subscribe, the actors go away and come back.
  const watching = await listen(
    listenerCount,
    (i) => ({ token: tokenFor(members[i]), deviceId: 'watch' }),
    url,
    'user-online',
  );
  for (const client of watching.clients) await ask(client, 'subscribe-presence', { userIds: actors });
  const toggle = (client, i) => ask(client, 'user-online', { status: i % 2 === 0 ? 'away' : 'online' });
  result.presence = await measure(typists, toggle, watching.heard, listenerCount);

  // One user with many contacts: what a change costs Redis.
  const sql = new pg.Client({ connectionString: postgres.url });
  await sql.connect();
  await sql.query(
    `INSERT INTO contacts (user_id, contact_id) SELECT 'fan' || i, 'star' FROM generate_series(1, $1::int) i UNION ALL SELECT 'star', 'fan' || i FROM generate_series(1, $1::int) i`,
    [contactCount],
  );
  await sql.end();
  const fans = await listen(20, (i) => ({ token: tokenFor(`fan${i + 1}`) }), url, 'user-online');
  const star = (await listen(1, () => ({ token: tokenFor('star') }), url, '')).clients[0];
  await sleep(500);
  const admin = new Redis(redis.url);
  await sleep(100);
  const calls = async () =>
    [...(await admin.info('commandstats')).matchAll(/cmdstat_(evalsha|eval|publish|spublish):calls=(\d+)/g)].reduce(
      (sum, [, , n]) => sum + Number(n),
      0,
    );
  const idleMs = 2_000;
  const idleFrom = await calls();
  await sleep(idleMs);
  const idlePerMs = ((await calls()) - idleFrom) / idleMs;
  const changes = 20;
  const [from, fromMs] = [await calls(), performance.now()];
  for (let i = 0; i < changes; i++) await toggle(star, i);
  await sleep(500);
  const background = idlePerMs * (performance.now() - fromMs);
  result.manyContacts = {
    contacts: contactCount,
    redisCallsPerChange: Math.max(0, ((await calls()) - from - background) / changes),
    idleRedisCallsPerSecond: idlePerMs * 1_000,
    heard: fans.heard.count,
  };
  admin.disconnect();
} finally {
  for (const child of children) {
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
  }
  await services.redis?.stop();
  await services.postgres?.stop();
  await rm(dataDir, { recursive: true, force: true });
}
console.log(JSON.stringify(result, null, 2));
if (values.json) writeFileSync(values.json, JSON.stringify(result, null, 2));
process.exit(0);
