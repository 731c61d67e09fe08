/**
 * `npm run bench:plans`: how Postgres answers what grows (issue B): history, status, list, sync and
 * search with a million messages in one conversation and 10,000 conversations of one user.
 *
 * A server runs on a filled database; `auto_explain` tells the plans of its own statements as they
 * ran. Printed for each request: indexes used, blocks touched and time, by the number of messages
 * in the conversation. Ends with 1 when a large table is read from end to end, when a request
 * touches more blocks as the conversation grows, or a sync more than what changed explains.
 * `--help` tells the options.
 */
import { spawn } from 'node:child_process';
import { createHmac, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { freePort, startEmbeddedPostgres } from '../../dist/embedded/index.js';
import { numberOf, readCommandLine } from '../../scripts/command-line.mjs';
import { fill, group, largeId, middleId } from './plans.fill.mjs';
import { WireClient } from './wire-client.mjs';

const usage = `npm run bench:plans -- [options]
  --messages N         in the largest conversation (default 1000000)
  --conversations N    of the busy user (default 10000)`;
const { values } = readCommandLine(usage, {
  options: {
    messages: { type: 'string', default: '1000000' },
    conversations: { type: 'string', default: '10000' },
  },
});
const conversationCount = numberOf(values, 'conversations');
const largest = numberOf(values, 'messages');
const sizes = [1_000, 10_000, 100_000, 1_000_000].filter((size) => size <= largest);
// Longer than what a device that connects sets off, and than the slowest sweep.
const idleMs = 6_000;
const main = join(dirname(fileURLToPath(import.meta.url)), '../../dist/main.js');
const secret = randomBytes(32).toString('hex');
// Not `conversations` and `participants`: the busy user is in a tenth of them, where reading all is
// the shorter way.
const largeTables = new Set(['messages', 'receipt_log']);
// Blocks a request may touch more in the largest conversation than in the smallest: a deeper index,
// a fuller page.
const toleratedGrowth = { factor: 2, blocks: 100 };

function tokenFor(userId) {
  const encode = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const now = Math.floor(Date.now() / 1_000);
  const body = `${encode({ alg: 'HS256', typ: 'JWT' })}.${encode({ sub: userId, iat: now, exp: now + 3_600 })}`;
  return `${body}.${createHmac('sha256', secret).update(body).digest('base64url')}`;
}

async function startServer(databaseUrl, dataDir) {
  const port = await freePort();
  const env = { PATH: '', PORT: String(port), HOST: '127.0.0.1', DATABASE_URL: databaseUrl, DATA_DIR: dataDir };
  const child = spawn(process.execPath, [main], {
    env: { ...env, JWT_SECRET: secret, LOG_LEVEL: 'warn' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  await new Promise((resolve, reject) => {
    child.stdout.on('data', (chunk) => {
      output += chunk;
      if (output.includes('Parley listens')) resolve();
    });
    child.once('exit', (code) => reject(new Error(`the server ended with ${code}`)));
  });
  return { child, url: `http://127.0.0.1:${port}` };
}

/** Reads what auto_explain wrote since the last call. */
function planReader(logDir) {
  let taken = 0;
  return async () => {
    await sleep(150);
    const names = (await readdir(logDir)).filter((name) => name.endsWith('.json')).sort();
    const lines = (await Promise.all(names.map((name) => readFile(join(logDir, name), 'utf8')))).join('').split('\n');
    const fresh = lines.slice(taken, -1);
    taken += fresh.length;
    return fresh
      .map((line) => /plan:\n(.*)$/s.exec(JSON.parse(line).message)?.[1])
      .filter(Boolean)
      .map((plan) => JSON.parse(plan));
  };
}

function summaryOf(plans) {
  const indexes = new Set();
  const wholeTables = new Set();
  const visit = (node) => {
    if (node['Index Name'] && node['Actual Loops'] > 0) indexes.add(node['Index Name']);
    const wasRun = node['Actual Loops'] > 0;
    if (wasRun && node['Node Type'] === 'Seq Scan' && largeTables.has(node['Relation Name']))
      wholeTables.add(node['Relation Name']);
    (node.Plans ?? []).forEach(visit);
  };
  let blocks = 0;
  for (const { Plan } of plans) {
    visit(Plan);
    blocks += (Plan['Shared Hit Blocks'] ?? 0) + (Plan['Shared Read Blocks'] ?? 0);
  }
  return { blocks, indexes: [...indexes], wholeTables: [...wholeTables] };
}

async function get(url, userId, path) {
  const response = await fetch(`${url}${path}`, { headers: { authorization: `Bearer ${tokenFor(userId)}` } });
  if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
  return response.json();
}

async function ask(socket, event, payload) {
  const answer = await new Promise((resolve) => socket.emit(event, payload, resolve));
  if (!answer.ok) throw new Error(JSON.stringify(answer));
  return answer.data;
}

/** @returns requests by name; those with a size are asked of the conversation of that size */
function requests(url, socket, databaseUrl) {
  const position = async () => (await ask(socket, 'heartbeat')).syncToken;
  const sync = (since) => ask(socket, 'sync', { since });
  const of = (path) => () => get(url, 'busy', path);
  const inLarge = (size) => `/v1/conversations/${largeId(size)}/messages`;
  const search = (words, size) =>
    of(`/v1/search/messages?q=${encodeURIComponent(words)}${size ? `&conversationId=${largeId(size)}` : ''}`);
  return [
    ...sizes.flatMap((size) => [
      { name: 'history, newest page', size, run: of(inLarge(size)) },
      { name: 'history, from the middle back', size, run: of(`${inLarge(size)}?beforeSeq=${size / 2}`) },
      { name: 'history, from the middle on', size, run: of(`${inLarge(size)}?afterSeq=${size / 2}`) },
      { name: 'status of one in the middle', size, run: of(`/v1/messages/${middleId(size)}/status`) },
      { name: 'search here: a word in every message', size, run: search('the', size) },
      { name: 'search here: a word in one of 5,000', size, hits: size / 5_000, run: search('word77', size) },
      { name: 'search here: a word in one message', size, run: search('needle', size) },
    ]),
    { name: 'status in a group of 1,024', run: of(`/v1/messages/${group.id}/status`) },
    { name: 'conversations, first page', run: of('/v1/conversations') },
    {
      name: 'conversations, second page',
      before: async () => (await get(url, 'busy', '/v1/conversations')).nextCursor,
      run: (cursor) => get(url, 'busy', `/v1/conversations?cursor=${encodeURIComponent(cursor)}`),
    },
    { name: 'search everywhere: a word in every message', run: search('the') },
    { name: 'search everywhere: a word in one of 5,000', run: search('word77') },
    { name: 'search everywhere: a word nowhere', run: search('absent') },
    { name: 'sync, nothing new', atMost: 100, before: position, run: sync },
    {
      name: 'sync, one message more',
      atMost: 300,
      before: async () => {
        const since = await position();
        const conversationId = '00000000-0000-7000-8000-000000000001';
        await ask(socket, 'send-message', { conversationId, content: { text: 'One more' } });
        return since;
      },
      run: sync,
    },
    {
      name: 'sync, nothing new, but all were active lately',
      before: async () => {
        const client = new pg.Client({ connectionString: databaseUrl });
        await client.connect();
        await client.query(`UPDATE user_activity SET until_xid = until_xid + 65536 WHERE user_id = 'busy'`);
        await client.query('VACUUM user_activity');
        await client.end();
        return position();
      },
      run: sync,
    },
  ];
}

/** @param background statements the server makes by itself */
async function measure({ name, size, hits = 0, atMost = Infinity, before, run }, takePlans, background) {
  const prepared = await before?.();
  await run(prepared);
  await takePlans();
  const startedMs = performance.now();
  await run(prepared);
  const ms = performance.now() - startedMs;
  const plans = (await takePlans()).filter((plan) => !background.has(plan['Query Text']));
  return { name, size, hits, atMost, ms, ...summaryOf(plans) };
}

/** @returns what is wrong, a line each */
function faultsOf(results) {
  const faults = results
    .filter(({ wholeTables }) => wholeTables.length > 0)
    .map(({ name, size, wholeTables }) => `${name} (${size ?? '-'}): reads ${wholeTables} from end to end`);
  for (const { name, blocks, atMost } of results) {
    if (blocks > atMost) faults.push(`${name}: ${blocks} blocks, not ${atMost}`);
  }
  for (const small of results.filter(({ size }) => size === sizes[0])) {
    const large = results.find(({ name, size }) => name === small.name && size === sizes.at(-1));
    // Each hit stands in a block of its own, and may be looked at twice.
    const allowed = small.blocks * toleratedGrowth.factor + toleratedGrowth.blocks + 2 * large.hits;
    if (large.blocks > allowed) faults.push(`${small.name}: ${small.blocks} blocks become ${large.blocks}`);
  }
  return faults;
}

const dataDir = await mkdtemp(join(tmpdir(), 'parley-plans-'));
const logDir = join(dataDir, 'postgres', 'log');
const postgres = await startEmbeddedPostgres({
  dataDir,
  settings: {
    fsync: 'off',
    maintenance_work_mem: '256MB',
    max_wal_size: '8GB',
    logging_collector: 'on',
    log_destination: 'jsonlog',
    log_directory: 'log',
    log_rotation_size: '0',
    'auto_explain.log_analyze': 'on',
    'auto_explain.log_buffers': 'on',
    'auto_explain.log_timing': 'off',
    'auto_explain.log_format': 'json',
  },
});
let server;
try {
  server = await startServer(postgres.url, dataDir);
  server.child.kill('SIGTERM');
  await once(server.child, 'exit');
  const client = new pg.Client({ connectionString: postgres.url });
  await client.connect();
  await fill(client, { sizes, conversationCount });
  await client.query(`ALTER DATABASE parley SET session_preload_libraries = 'auto_explain'`);
  await client.query(`ALTER DATABASE parley SET auto_explain.log_min_duration = 0`);
  await client.end();

  server = await startServer(postgres.url, dataDir);
  const socket = new WireClient(server.url, { token: tokenFor('busy') }, () => undefined);
  await socket.ready;
  const takePlans = planReader(logDir);
  await sleep(idleMs);
  await takePlans();
  await sleep(idleMs);
  const background = new Set((await takePlans()).map((plan) => plan['Query Text']));
  const results = [];
  for (const request of requests(server.url, socket, postgres.url))
    results.push(await measure(request, takePlans, background));
  console.log('| request | messages in the conversation | blocks | ms | indexes |\n|---|---|---|---|---|');
  results.sort((a, b) => a.name.localeCompare(b.name));
  for (const { name, size, blocks, ms, indexes } of results) {
    console.log(`| ${name} | ${size ?? ''} | ${blocks} | ${ms.toFixed(1)} | ${indexes.join(', ')} |`);
  }
  const faults = faultsOf(results);
  console.log(faults.length === 0 ? '\nNothing grows with the history.' : `\n${faults.join('\n')}`);
  process.exitCode = faults.length === 0 ? 0 : 1;
} finally {
  server?.child.kill('SIGKILL');
  await postgres.stop();
  await rm(dataDir, { recursive: true, force: true });
}
process.exit();
