/**
 * `npm run bench`: sends per second and server CPU of Parley against relays that store nothing, interleaved in one run.
 *
 * Options: `--seconds 6 --rounds 3 --pairs 100 --targets parley,relay,corked --in-flight 1 --json FILE`.
 * Parley runs as `node dist/main.js` with everything on (limits high by their settings) on a real Postgres with fsync.
 */
import { spawn } from 'node:child_process';
import { createHmac, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import pg from 'pg';
import { freePort, startEmbeddedPostgres, startEmbeddedRedis } from '../../dist/embedded/index.js';

const here = dirname(fileURLToPath(import.meta.url));
const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '6' },
    rounds: { type: 'string', default: '3' },
    pairs: { type: 'string', default: '100' },
    'in-flight': { type: 'string', default: '1' },
    targets: { type: 'string', default: 'parley,relay,corked' },
    group: { type: 'string', default: '0' },
    receipts: { type: 'boolean', default: false },
    'parley-redis': { type: 'boolean', default: false },
    profile: { type: 'string' },
    json: { type: 'string' },
  },
});
const options = {
  seconds: Number(values.seconds),
  rounds: Number(values.rounds),
  pairs: Number(values.pairs),
  inFlight: Number(values['in-flight']),
  groupSize: Number(values.group),
};
const secret = randomBytes(32).toString('hex');
const ticksPerSecond = 100;

function tokenFor(userId) {
  const encode = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const now = Math.floor(Date.now() / 1_000);
  const body = `${encode({ alg: 'HS256', typ: 'JWT' })}.${encode({ sub: userId, iat: now, exp: now + 3_600 })}`;
  return `${body}.${createHmac('sha256', secret).update(body).digest('base64url')}`;
}

/** Processor time of a process, in milliseconds, from the operating system. */
function cpuMs(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ');
  return ((Number(fields[11]) + Number(fields[12])) * 1_000) / ticksPerSecond;
}

function cpuOfTree(pid) {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean);
  return [pid, ...children].reduce((sum, one) => sum + cpuMs(one), 0);
}

async function startNode(args, env, isReady) {
  const child = spawn(process.execPath, args, {
    env: { PATH: process.env.PATH, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  await new Promise((resolve, reject) => {
    child.stdout.on('data', (chunk) => {
      output += chunk;
      if (isReady(output)) resolve();
    });
    child.once('exit', (code) => reject(new Error(`ended with ${code}: ${output}`)));
  });
  return child;
}

const services = { postgres: null, redis: null, dataDir: null };

async function startParley(name) {
  const port = await freePort();
  const env = {
    PORT: String(port),
    HOST: '127.0.0.1',
    DATA_DIR: join(services.dataDir, name),
    DATABASE_URL: services.postgres.url,
    JWT_SECRET: secret,
    LOG_LEVEL: 'warn',
    RATE_MESSAGES_PER_SECOND: '1000000',
    RATE_MESSAGES_BURST: '1000000',
    RATE_EVENTS_PER_SECOND: '1000000',
    RATE_EVENTS_BURST: '1000000',
    MAX_GROUP_SIZE: '5000',
    ...(values['parley-redis'] || name === 'parley-redis' ? { REDIS_URL: services.redis.url } : {}),
  };
  const profile = values.profile ? ['--cpu-prof', `--cpu-prof-dir=${values.profile}`] : [];
  const child = await startNode([...profile, join(here, '../../dist/main.js')], env, (text) =>
    text.includes('Parley listens'),
  );
  const url = `http://127.0.0.1:${port}`;
  return { name, child, url, stores: true, users: await parleyUsers(url) };
}

async function createConversation(url, caller, body) {
  const response = await fetch(`${url}/v1/conversations`, {
    method: 'POST',
    headers: { authorization: `Bearer ${tokenFor(caller)}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  if (!response.ok) throw new Error(`${response.status} ${await response.text()}`);
  return (await response.json()).id;
}

async function parleyUsers(url) {
  const authOf = (userId) => ({ token: tokenFor(userId) });
  if (options.groupSize > 0) {
    const names = Array.from({ length: options.groupSize }, (_, i) => `g${i}`);
    const conversationId = await createConversation(url, names[0], { kind: 'group', participantIds: names.slice(1) });
    return names.map((userId, i) => ({
      url,
      auth: authOf(userId),
      conversationId,
      peers: names.map((_, j) => j).filter((j) => j !== i),
    }));
  }
  const users = [];
  for (let i = 0; i < options.pairs; i++) {
    const [a, b] = [`a${i}`, `b${i}`];
    const conversationId = await createConversation(url, a, { kind: 'direct', participantIds: [b] });
    users.push(
      { url, auth: authOf(a), conversationId, peers: [2 * i + 1] },
      { url, auth: authOf(b), conversationId, peers: [2 * i] },
    );
  }
  return users;
}

async function startRelay(name) {
  const port = await freePort();
  const flags = name === 'corked' ? ['--corked'] : name === 'relay-redis' ? ['--redis', services.redis.url] : [];
  const child = await startNode([join(here, 'relay.mjs'), '--port', String(port), ...flags], {}, (text) =>
    text.includes('ready'),
  );
  const url = `http://127.0.0.1:${port}`;
  if (options.groupSize > 0) {
    const names = Array.from({ length: options.groupSize }, (_, i) => `g${i}`);
    const users = names.map((userId, i) => ({
      url,
      auth: { userId, rooms: ['group'] },
      conversationId: 'group',
      peers: names.map((_, j) => j).filter((j) => j !== i),
    }));
    return { name, child, url, stores: false, users };
  }
  const users = Array.from({ length: options.pairs * 2 }, (_, i) => {
    const peer = i ^ 1;
    return { url, auth: { userId: `u${i}`, rooms: [] }, conversationId: `user:u${peer}`, peers: [peer] };
  });
  return { name, child, url, stores: false, users };
}

async function measure(target, seed) {
  const load = spawn(process.execPath, [join(here, 'load.mjs')], { stdio: ['pipe', 'pipe', 'pipe'] });
  const job = {
    users: target.users,
    inFlight: options.inFlight,
    seconds: options.seconds,
    seed,
    receipts: values.receipts && target.stores,
    ...(options.groupSize > 0 ? { senders: [0, 1, 2, 3].filter((i) => i < options.groupSize) } : {}),
  };
  load.stdin.end(JSON.stringify(job));
  let output = '';
  let cpu = null;
  const marks = {};
  load.stdout.on('data', (chunk) => (output += chunk));
  load.stderr.on('data', (chunk) => {
    const text = String(chunk);
    const now = { server: cpuMs(target.child.pid), postgres: target.stores ? cpuOfTree(services.postgresPid) : 0 };
    if (text.includes('started')) marks.start = now;
    if (text.includes('stopped'))
      cpu = { server: now.server - marks.start.server, postgres: now.postgres - marks.start.postgres };
    if (!/^(started|stopped)\n/.test(text)) process.stderr.write(text);
  });
  const [code] = await once(load, 'exit');
  if (code !== 0) throw new Error(`the load generator ended with ${code}`);
  const result = JSON.parse(output);
  return {
    ...result,
    cpuPer1000: (cpu.server / result.acked) * 1_000,
    postgresPer1000: (cpu.postgres / result.acked) * 1_000,
    cpuPerDelivery: cpu.server / result.deliveries,
  };
}

async function rowsStored() {
  const client = new pg.Client({ connectionString: services.postgres.url });
  await client.connect();
  const { rows } = await client.query('SELECT count(*)::int AS n FROM messages');
  await client.end();
  return rows[0].n;
}

const median = (numbers) => [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)];

async function main() {
  services.dataDir = await mkdtemp(join(tmpdir(), 'parley-bench-'));
  services.postgres = await startEmbeddedPostgres({ dataDir: services.dataDir });
  services.postgresPid = readFileSync(join(services.dataDir, 'postgres', 'postmaster.pid'), 'utf8').split('\n')[0];
  services.redis = await startEmbeddedRedis({ dataDir: services.dataDir });
  const names = values.targets.split(',');
  const targets = [];
  for (const name of names) targets.push(await (name.startsWith('parley') ? startParley(name) : startRelay(name)));
  const results = Object.fromEntries(names.map((name) => [name, []]));
  let ackedByParley = 0;
  for (let round = 0; round < options.rounds; round++) {
    for (const target of targets) {
      const result = await measure(target, round);
      if (target.stores) ackedByParley += result.acked;
      results[target.name].push(result);
      process.stdout.write(
        `round ${round + 1} ${target.name.padEnd(12)} ${result.perSecond.toFixed(0).padStart(7)}/s  cpu ${result.cpuPer1000.toFixed(0).padStart(5)} ms/1000  pg ${result.postgresPer1000.toFixed(0).padStart(4)}  p50 ${result.p50.toFixed(1)} p99 ${result.p99.toFixed(1)}  lost ${result.lost} faults ${result.faults} refused ${result.refused}\n`,
      );
      await sleep(300);
    }
  }
  const stored = await rowsStored();
  const summary = names.map((name) => ({
    name,
    perSecond: median(results[name].map((one) => one.perSecond)),
    cpuPer1000: median(results[name].map((one) => one.cpuPer1000)),
    postgresPer1000: median(results[name].map((one) => one.postgresPer1000)),
    cpuPerDelivery: median(results[name].map((one) => one.cpuPerDelivery)),
    lost: results[name].reduce((sum, one) => sum + one.lost, 0),
    faults: results[name].reduce((sum, one) => sum + one.faults, 0),
  }));
  const base = summary.find((one) => one.name === 'relay') ?? summary[0];
  process.stdout.write(
    '\n| target | sends/s | ratio | server CPU ms/1000 | ratio | Postgres ms/1000 | CPU per delivery ratio | lost | faults |\n|---|---|---|---|---|---|---|---|---|\n',
  );
  for (const one of summary) {
    process.stdout.write(
      `| ${one.name} | ${one.perSecond.toFixed(0)} | ${(one.perSecond / base.perSecond).toFixed(2)} | ${one.cpuPer1000.toFixed(0)} | ${(one.cpuPer1000 / base.cpuPer1000).toFixed(2)} | ${one.postgresPer1000.toFixed(0)} | ${(one.cpuPerDelivery / base.cpuPerDelivery).toFixed(2)} | ${one.lost} | ${one.faults} |\n`,
    );
  }
  process.stdout.write(
    `\nrows stored ${stored}, sends acked by Parley ${ackedByParley}: ${stored === ackedByParley ? 'equal' : 'NOT EQUAL'}\n`,
  );
  if (values.json) writeFileSync(values.json, JSON.stringify({ options, summary, results }, null, 2));
  for (const target of targets) target.child.kill('SIGTERM');
  await Promise.all(targets.map((target) => once(target.child, 'exit')));
  await services.redis?.stop();
  await services.postgres.stop();
  await rm(services.dataDir, { recursive: true, force: true });
  process.exitCode = stored === ackedByParley && summary.every((one) => one.lost + one.faults === 0) ? 0 : 1;
}

await main();
