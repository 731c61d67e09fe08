import { setTimeout as pause } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { newRandomId } from '../common/index.js';
import { freePort } from '../embedded/index.js';
import { startRedis, type TestRedis } from '../../test/setup/services.js';
import type { RedisReturn } from './redis-commands.js';
import { loadLua } from './lua-script.js';
import { busChannel, connectionLeasesKey } from './redis-keys.js';
import { RedisConnection } from './redis-connection.js';
import { atMost, eventually } from '../../test/setup/patience.js';

const timeoutMs = 400;
const acquireLease = loadLua(import.meta.url, './acquire-lease.lua');
const unavailable = expect.objectContaining({ code: 'UNAVAILABLE', retryAfterMs: expect.any(Number) as number });
const unhandled: unknown[] = [];
const noteUnhandled = (reason: unknown) => void unhandled.push(reason);

let redis: TestRedis;
let a: RedisConnection;
let b: RedisConnection;
let returns: RedisReturn[];
let absences: number[];

beforeAll(async () => {
  process.on('unhandledRejection', noteUnhandled);
  redis = await startRedis();
});

beforeEach(async () => {
  a = await RedisConnection.open(redis.url, timeoutMs);
  b = await RedisConnection.open(redis.url, timeoutMs);
  a.commands.onBack((back) => returns.push(back));
  a.bus.onReconnected((awayMs) => absences.push(awayMs));
  returns = [];
  absences = [];
});

afterEach(async () => {
  await Promise.all([a.close(), b.close()]);
  expect(unhandled).toEqual([]);
});

afterAll(async () => {
  await redis.stop();
  process.off('unhandledRejection', noteUnhandled);
});

function acquire(): Promise<unknown> {
  return a.commands.run(acquireLease, [connectionLeasesKey('x')], ['c', 5, 1_000]);
}

async function healed(): Promise<void> {
  await eventually(
    () => expect([a, b].map(({ commands, bus }) => [commands.fault, bus.fault])).toEqual(Array(2).fill([null, null])),
    { timeout: 10_000, interval: 20 },
  );
}

async function expectBusCrosses(topic: string): Promise<void> {
  const got: unknown[] = [];
  b.bus.subscribe(topic, (payload) => got.push(payload));
  for (let n = 0; n < 100; n++) void a.bus.publish(topic, { n });
  await eventually(() => expect(got).toEqual(Array.from({ length: 100 }, (_, n) => ({ n }))));
}

it('carries messages to the other node in order, and none to the publisher', async () => {
  const own: unknown[] = [];
  a.bus.subscribe('order', (payload) => own.push(payload));
  await expectBusCrosses('order');
  expect(own).toEqual([]);
});

it('goes on after a handler that throws and after malformed messages', async () => {
  b.bus.subscribe('bad', () => {
    throw new Error('planted');
  });
  await a.bus.publish('bad', 1);
  await a.commands.call('publish', busChannel(), 'nonsense');
  await a.commands.call('publish', busChannel(), `${newRandomId()}\nbad\n{`);
  await expectBusCrosses('good');
  expect(b.bus.malformedCount).toBe(2);
});

it('runs a script that Redis has forgotten, alone and in a batch', async () => {
  await a.commands.call('script', 'flush');
  expect(await acquire()).toBe(1);
  await a.commands.call('script', 'flush');
  const call = { script: acquireLease, keys: [connectionLeasesKey('y')], args: ['c', 5, 1_000] };
  expect(await a.commands.runMany([call, ['echo', 'hi'], call])).toEqual([1, 'hi', 1]);
});

it('leaves an error of the command itself as it is', async () => {
  await expect(a.commands.call('zadd', 'k')).rejects.toThrow(/wrong number of arguments/);
  expect(a.commands.isHealthy).toBe(true);
});

it('survives a kill: fails at once, then heals and says for how long it was away', async () => {
  await redis.kill('SIGKILL');
  await eventually(() => expect(a.commands.isHealthy || a.bus.isHealthy).toBe(false));
  const startedAt = performance.now();
  await expect(acquire()).rejects.toEqual(unavailable);
  await expect(a.bus.publish('t', 1)).rejects.toEqual(unavailable);
  expect(performance.now() - startedAt).toBeLessThan(atMost(100));
  await pause(1_200);
  await redis.restart();
  await healed();
  expect(returns).toEqual([{ awayMs: expect.any(Number) as number, wasEmptied: true }]);
  expect(absences).toHaveLength(1);
  expect(absences[0]).toBeGreaterThan(1_200);
  expect(await acquire()).toBe(1);
  await expectBusCrosses('after-kill');
});

it('finds a hung Redis by time-outs, stops waiting for it, and heals', async () => {
  await redis.kill('SIGSTOP');
  const startedAt = performance.now();
  const answers = await Promise.allSettled([acquire(), acquire(), acquire()]);
  expect(performance.now() - startedAt).toBeLessThan(atMost(timeoutMs + 300));
  expect(answers.map((answer) => answer.status === 'rejected' && (answer.reason as unknown))).toEqual(
    Array(3).fill(unavailable),
  );
  expect(a.commands.isHealthy).toBe(false);
  await eventually(() => expect(a.bus.isHealthy).toBe(false), { timeout: 5_000 });
  await pause(1_500);
  await redis.kill('SIGCONT');
  await healed();
  expect(await acquire()).toBe(1);
  expect(absences[0]).toBeGreaterThan(3_000);
  await expectBusCrosses('after-hang');
});

it('notices that Redis was emptied', async () => {
  await redis.flushAll();
  await eventually(() => expect(returns).toContainEqual(expect.objectContaining({ wasEmptied: true })), {
    timeout: 3_000,
  });
});

it('counts a read-only Redis as away until it takes writes again', async () => {
  const nowhere = await freePort();
  await b.commands.call('replicaof', '127.0.0.1', nowhere);
  await expect(acquire()).rejects.toEqual(unavailable);
  expect(a.commands.isHealthy).toBe(false);
  await pause(600);
  expect(a.commands.isHealthy).toBe(false);
  const other = new Redis(redis.port);
  await other.call('replicaof', 'no', 'one');
  other.disconnect();
  await healed();
  expect(await acquire()).toBe(1);
});

it('gives the connection to a read-only Redis up once, however many commands it refused', async () => {
  const warnings: Error[] = [];
  const note = (warning: Error) => void warnings.push(warning);
  process.on('warning', note);
  await b.commands.call('replicaof', '127.0.0.1', await freePort());
  const refusals = await Promise.allSettled(Array.from({ length: 30 }, (_, n) => a.commands.call('set', `k${n}`, 'v')));
  expect(refusals.map(({ status }) => status)).toEqual(Array(30).fill('rejected'));
  await pause(50);
  process.off('warning', note);
  expect(warnings).toEqual([]);
  const other = new Redis(redis.port);
  await other.call('replicaof', 'no', 'one');
  other.disconnect();
  await healed();
});

it('counts a full Redis as away until there is room', async () => {
  await b.commands.call('config', 'set', 'maxmemory', 1);
  await expect(a.commands.call('set', 'k', 'v')).rejects.toEqual(unavailable);
  const other = new Redis(redis.port);
  await other.config('SET', 'maxmemory', '0');
  other.disconnect();
  await healed();
  expect(await acquire()).toBe(1);
});

it('subscribes again when only the subscription was cut, and says so', async () => {
  await a.commands.call('client', 'kill', 'type', 'pubsub');
  await eventually(() => expect(absences).toHaveLength(1), { timeout: 5_000 });
  await healed();
  expect(absences[0]).toBeLessThan(atMost(3_000));
  await expectBusCrosses('after-cut');
});

it('starts without Redis and heals when it comes', async () => {
  await redis.stop();
  const startedAt = performance.now();
  const late = await RedisConnection.open(redis.url, timeoutMs);
  expect(performance.now() - startedAt).toBeLessThan(atMost(timeoutMs + 300));
  expect(late.commands.isHealthy).toBe(false);
  const absent: number[] = [];
  late.bus.onReconnected((awayMs) => absent.push(awayMs));
  await redis.restart();
  await eventually(() => expect(absent).toHaveLength(1), { timeout: 10_000 });
  expect(late.commands.isHealthy).toBe(true);
  await late.close();
});

it('takes no more publishes than it can hold', async () => {
  await redis.kill('SIGSTOP');
  const startedAt = performance.now();
  const sends = Array.from({ length: 1_100 }, () => a.bus.publish('flood', 'x').then(null, () => 'refused'));
  const first = await Promise.race(sends);
  expect(first).toBe('refused');
  expect(performance.now() - startedAt).toBeLessThan(atMost(timeoutMs));
  const large = 'y'.repeat(9 * 1024 * 1024);
  await redis.kill('SIGCONT');
  await Promise.all(sends);
  await healed();
  await expect(a.bus.publish('flood', large)).rejects.toEqual(unavailable);
});

it('closes within a second while Redis hangs', async () => {
  await redis.kill('SIGSTOP');
  const startedAt = performance.now();
  await a.close();
  expect(performance.now() - startedAt).toBeLessThan(atMost(1_000));
  await redis.kill('SIGCONT');
});
