/** `npm run cluster`: two nodes behind one port, as processes, with every kind of client. */
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { Agent } from 'node:http';
import { io } from 'socket.io-client';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Message } from '../../src/common/index.js';
import { freePort } from '../../src/embedded/index.js';
import { spawnSource } from '../setup/node-process.js';
import { createDatabase, startRedis, type TestDatabase, type TestRedis } from '../setup/services.js';
import { TestClient, testSecret, tokenFor } from '../support/client.js';
import { groupConversation } from '../support/conversations.js';
import { range, sendTexts, seqsHeard } from '../support/hearing.js';
import { eventually } from '../setup/patience.js';

const nodes = 2;
const kinds = { websocket: ['websocket'], polling: ['polling'], upgrading: ['polling', 'websocket'] } as const;

let database: TestDatabase;
let redis: TestRedis;
let launcher: ChildProcess;
let port: number;
let printed = '';
const clients: TestClient[] = [];

async function launch(env: NodeJS.ProcessEnv): Promise<ChildProcess> {
  const child = await spawnSource('cluster.cli.js', env, ['--nodes', String(nodes)]);
  for (const stream of [child.stdout!, child.stderr!]) {
    stream.setEncoding('utf8').on('data', (chunk: string) => (printed += chunk));
  }
  return child;
}

beforeAll(async () => {
  [database, redis, port] = [await createDatabase(), await startRedis(), await freePort()];
  const urls = { DATABASE_URL: database.url, REDIS_URL: redis.url };
  launcher = await launch({ ...urls, PORT: String(port), JWT_SECRET: testSecret, LOG_LEVEL: 'error' });
  await eventually(() => expect(printed).toContain('Parley listens'), 50_000);
});

afterAll(async () => {
  hangUp();
  if (launcher.exitCode === null) launcher.kill('SIGKILL');
  await redis.stop();
  await database.drop();
});

async function dial(userId: string, kind: keyof typeof kinds, agent?: Agent): Promise<TestClient> {
  const auth = { token: await tokenFor(userId), deviceId: kind };
  // The client's type knows browsers only, which have no agent.
  const options = { auth, forceNew: true, transports: [...kinds[kind]], reconnectionDelay: 100, agent: agent as never };
  const client = new TestClient(io(`http://127.0.0.1:${port}`, options), userId);
  clients.push(client);
  await client.waitFor('session-ready');
  return client;
}

function hangUp(): void {
  for (const client of clients.splice(0)) client.close();
}

function nodeOf({ socket }: TestClient): number {
  return Number(socket.io.engine.id.split('.')[0]);
}

function isAlive(number: number): Promise<boolean> {
  return fetch(`http://127.0.0.1:${port + number}/health/live`).then(
    ({ ok }) => ok,
    () => false,
  );
}

/** One of each kind. */
function senders(): TestClient[] {
  return [clients[0]!, clients[4]!, clients[8]!];
}

function pidOf(number: number): number {
  return Number(new RegExp(`(\\d+) \\(port ${port + number}\\)`).exec(printed)![1]);
}

it('serves WebSocket, long polling and upgrading clients on both nodes, in one order, without a lost session', async () => {
  // As a browser does: one pool of connections for all its tabs.
  const agent = new Agent({ keepAlive: true });
  const users = range(1, 4).map((i) => `l-${i}`);
  const conversationId = await groupConversation(`http://127.0.0.1:${port}`, 'l-0', users);
  for (const kind of Object.keys(kinds) as (keyof typeof kinds)[]) {
    for (const user of users) await dial(user, kind, agent);
  }
  const lost: string[] = [];
  for (const { socket, userId } of clients) socket.on('disconnect', (reason) => lost.push(`${userId}: ${reason}`));
  for (const [index, sender] of senders().entries()) {
    await sendTexts(sender, conversationId, range(20 * index + 1, 20 * index + 20).map(String));
  }
  const silent = clients.filter((client) => !senders().includes(client));
  for (const client of silent) {
    await client.waitForCount('new-message', 60);
    expect(seqsHeard(client, conversationId)).toEqual(range(1, 60));
  }
  expect(new Set(clients.map(nodeOf))).toEqual(new Set([1, 2]));
  await eventually(() =>
    expect(clients.filter(({ socket }) => socket.io.engine.transport.name === 'websocket')).toHaveLength(8),
  );
  expect(lost).toEqual([]);
  hangUp();
  agent.destroy();
});

it('starts a killed node again under its number; its clients come back by themselves', async () => {
  const conversationId = await groupConversation(`http://127.0.0.1:${port}`, 'k-0', ['l-1', 'l-2']);
  for (const kind of Object.keys(kinds) as (keyof typeof kinds)[]) {
    for (const user of ['l-1', 'l-2']) await dial(user, kind);
  }
  process.kill(pidOf(1), 'SIGKILL');
  await eventually(() => expect(printed).toContain('node 1 ended (SIGKILL)'), 10_000);
  const sender = await dial('k-0', 'upgrading');
  await sendTexts(sender, conversationId, ['after the loss']);
  for (const client of clients.filter(({ userId }) => userId !== 'k-0')) {
    await client.waitFor<Message>('new-message', ({ conversationId: id }) => id === conversationId, 15_000);
  }
  await eventually(async () => expect(await isAlive(1)).toBe(true), { timeout: 20_000, interval: 100 });
});

it('drains all nodes on SIGTERM and exits with 0', async () => {
  hangUp();
  const ended = once(launcher, 'exit');
  launcher.kill('SIGTERM');
  expect((await ended)[0]).toBe(0);
  for (const number of range(1, nodes)) expect(await isAlive(number)).toBe(false);
});

it('says what is missing where there is no Redis', async () => {
  printed = '';
  const own = { DATABASE_URL: database.url, JWT_SECRET: testSecret, PORT: String(port) };
  const env = { ...own, REDIS_URL: undefined, PATH: '/nowhere' };
  const [code] = await once(await launch(env), 'close');
  expect(code).toBe(1);
  expect(printed).toBe(
    'REDIS_URL: several nodes need a Redis, and there is no redis-server or valkey-server on the PATH to start one\n',
  );
});
