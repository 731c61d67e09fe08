import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp } from 'node:fs/promises';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { Server } from 'socket.io';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { newRandomId } from '../common/index.js';
import { freePort } from '../embedded/index.js';
import { connectionLeaseContract } from './connection-lease.contract.js';
import { RedisConnection } from './redis-connection.js';
import { RedisConnectionLeaseStore } from './redis.connection-lease.store.js';
import { SocketAdapterFactory } from './socket-adapter.js';
import { eventually } from '../../test/setup/patience.js';

const slotCount = 16_384;
const timeoutMs = 1_000;
const unhandled: unknown[] = [];
const noteUnhandled = (reason: unknown) => void unhandled.push(reason);

interface ClusterNode {
  port: number;
  busPort: number;
  /** Keeps the node's view of the cluster over a restart. */
  dir: string;
  child: ChildProcess;
}

let nodes: ClusterNode[];
let a: RedisConnection;
let b: RedisConnection;

async function launch(node: Pick<ClusterNode, 'port' | 'busPort' | 'dir'>): Promise<ChildProcess> {
  const settings = {
    port: node.port,
    'cluster-port': node.busPort,
    'cluster-enabled': 'yes',
    'cluster-node-timeout': 2_000,
    bind: '127.0.0.1',
    save: '',
    appendonly: 'no',
  };
  const words = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, String(value)]);
  const child = spawn(inject('redisServerPath'), words, { cwd: node.dir, stdio: 'ignore' });
  await once(child, 'spawn');
  return child;
}

async function startNode(): Promise<ClusterNode> {
  const dir = await mkdtemp(join(inject('runDir'), 'cluster-'));
  const place = { port: await freePort(), busPort: await freePort(), dir };
  return { ...place, child: await launch(place) };
}

function connectTo(node: ClusterNode): Redis {
  const admin = new Redis({ port: node.port, host: '127.0.0.1', retryStrategy: () => 50 });
  admin.on('error', () => undefined);
  return admin;
}

/** By hand, not by `redis-cli --cluster create`, which a machine with only a server may lack. */
async function formCluster(): Promise<void> {
  const admins = nodes.map(connectTo);
  const share = Math.ceil(slotCount / admins.length);
  for (const [index, admin] of admins.entries()) {
    const last = Math.min(slotCount, (index + 1) * share) - 1;
    await admin.call('cluster', 'addslotsrange', index * share, last);
  }
  for (const { port, busPort } of nodes.slice(1)) await admins[0]!.call('cluster', 'meet', '127.0.0.1', port, busPort);
  for (const admin of admins) {
    await eventually(async () => expect(await admin.call('cluster', 'info')).toContain('cluster_state:ok'), 20_000);
    await eventually(async () => expect(await admin.call('cluster', 'info')).toContain('known_nodes:3'), 20_000);
  }
  for (const admin of admins) admin.disconnect();
}

beforeAll(async () => {
  process.on('unhandledRejection', noteUnhandled);
  nodes = await Promise.all([startNode(), startNode(), startNode()]);
  await formCluster();
  const urls = nodes.map(({ port }) => `redis://127.0.0.1:${port}`).join(',');
  a = await RedisConnection.open(urls, timeoutMs);
  b = await RedisConnection.open(urls, timeoutMs);
});

afterAll(async () => {
  await Promise.all([a?.close(), b?.close()]);
  for (const { child } of nodes) child.kill('SIGKILL');
  process.off('unhandledRejection', noteUnhandled);
  expect(unhandled).toEqual([]);
});

async function healed(): Promise<void> {
  await eventually(
    () => expect([a, b].map(({ commands, bus }) => [commands.fault, bus.fault])).toEqual(Array(2).fill([null, null])),
    { timeout: 20_000, interval: 50 },
  );
}

it('carries messages over sharded publish/subscribe, in order', async () => {
  const got: unknown[] = [];
  b.bus.subscribe('n', (payload) => got.push(payload));
  for (let n = 0; n < 100; n++) void a.bus.publish('n', n);
  await eventually(() => expect(got).toEqual(Array.from({ length: 100 }, (_, n) => n)));
});

it.each(connectionLeaseContract)('leases: $name', async ({ check }) => {
  const store = new RedisConnectionLeaseStore(a.commands);
  await check({ store, userId: newRandomId(), advance: async (ms) => void (await pause(ms)) });
});

it('carries serverSideEmit over the sharded adapter', async () => {
  const servers = [a, b].map(
    (connection) => new Server(createServer(), { adapter: new SocketAdapterFactory(connection).create()! }),
  );
  const got: string[] = [];
  servers[1]!.on('hello' as never, ((text: string) => got.push(text)) as never);
  await eventually(
    () => {
      servers[0]!.serverSideEmit('hello', 'there');
      expect(got).toContain('there');
    },
    { timeout: 10_000, interval: 100 },
  );
  await Promise.all(servers.map((server) => server.close()));
});

it('subscribes again after its subscriptions were cut', async () => {
  const absences: number[] = [];
  b.bus.onReconnected((awayMs) => absences.push(awayMs));
  for (const node of nodes) {
    const admin = connectTo(node);
    await admin.call('client', 'kill', 'type', 'pubsub');
    admin.disconnect();
  }
  await eventually(() => expect(absences.length).toBeGreaterThan(0), { timeout: 10_000 });
  const got: unknown[] = [];
  b.bus.subscribe('after-cut', (payload) => got.push(payload));
  await eventually(
    async () => {
      await a.bus.publish('after-cut', 1);
      expect(got).toContain(1);
    },
    { timeout: 10_000, interval: 200 },
  );
});

it('counts a cluster with a hung node as away, and heals', async () => {
  nodes[1]!.child.kill('SIGSTOP');
  await eventually(() => expect(a.commands.isHealthy).toBe(false), { timeout: 10_000 });
  await expect(a.commands.call('get', 'x')).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  nodes[1]!.child.kill('SIGCONT');
  await healed();
});

it('heals after the whole cluster was killed and started again', async () => {
  for (const { child } of nodes) child.kill('SIGKILL');
  await eventually(() => expect(a.commands.isHealthy || a.bus.isHealthy).toBe(false), { timeout: 10_000 });
  await expect(a.bus.publish('n', 1)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  await pause(3_500);
  for (const node of nodes) node.child = await launch(node);
  await healed();
  const got: unknown[] = [];
  b.bus.subscribe('after-restart', (payload) => got.push(payload));
  await a.bus.publish('after-restart', 1);
  await eventually(() => expect(got).toEqual([1]));
});
