import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startRedis, type TestRedis } from '../../test/setup/services.js';
import { newId, newRandomId } from '../common/index.js';
import { makeSettings } from '../config/index.js';
import { absentDevicesKey, offlineQueueKey, RedisConnection } from '../redis/index.js';
import { MemoryOfflineQueueStore } from './memory.offline-queue.store.js';
import { offlineQueueContract } from './offline-queue.contract.js';
import { RedisOfflineQueueStore } from './redis.offline-queue.store.js';

const settings = makeSettings({ offlineQueueMax: 3, offlineQueueTtlSeconds: 1 });

describe('the offline queue in memory', () => {
  it.each(offlineQueueContract)('$name', async ({ check }) => {
    let now = Date.now();
    const store = new MemoryOfflineQueueStore({ now: () => now }, settings);
    await check({ store, userId: 'alice', advance: async (ms) => void (now += ms) });
  });
});

describe('the offline queue in Redis', () => {
  let redis: TestRedis;
  let connection: RedisConnection;
  let store: RedisOfflineQueueStore;

  beforeAll(async () => {
    redis = await startRedis();
    connection = await RedisConnection.open(redis.url, 1_000);
    store = new RedisOfflineQueueStore(connection.commands, settings);
  });

  afterAll(async () => {
    await connection.close();
    await redis.stop();
  });

  it.each(offlineQueueContract)('$name', async ({ check }) => {
    // The clock is that of Redis: it can only be waited for.
    await check({ store, userId: newRandomId(), advance: async (ms) => void (await pause(ms)) });
  });

  async function wholeQueue(): Promise<string> {
    const userId = newRandomId();
    await store.begin(userId, 'phone', 'a');
    await store.finish(userId, 'phone', 'a', [{ conversationId: newId(), rev: 1 }]);
    return userId;
  }

  it.each([
    ['a foreign type', 'del', 'set'],
    ['a foreign type from the start', 'del', 'rpush'],
  ])('believes nothing that lies under its keys: %s', async (_name, remove, write) => {
    for (const keyOf of [(userId: string) => offlineQueueKey(userId, 'phone'), absentDevicesKey]) {
      const userId = await wholeQueue();
      await connection.commands.call(remove, keyOf(userId));
      await connection.commands.call(write, keyOf(userId), 'garbage');
      await store.add([{ userId, pointers: [{ conversationId: newId(), rev: 2 }] }]);
      expect(await store.take(userId, 'phone')).toBeNull();
      await store.begin(userId, 'phone', 'b');
      expect(await store.finish(userId, 'phone', 'b', [])).toBe(true);
    }
  });

  it('believes no queue with fields it has not written', async () => {
    for (const [field, value] of [
      ['not-an-id', '1'],
      [newId(), 'not-a-rev'],
    ] as const) {
      const userId = await wholeQueue();
      await connection.commands.call('hset', offlineQueueKey(userId, 'phone'), field, value);
      expect(await store.take(userId, 'phone')).toBeNull();
    }
  });

  it('believes no queue that was emptied, evicted or made under another process', async () => {
    const evicted = await wholeQueue();
    await connection.commands.call('del', offlineQueueKey(evicted, 'phone'));
    await store.add([{ userId: evicted, pointers: [{ conversationId: newId(), rev: 2 }] }]);
    expect(await store.take(evicted, 'phone')).toBeNull();

    const failedOver = await wholeQueue();
    await connection.commands.call('hset', offlineQueueKey(failedOver, 'phone'), 'whole', 'f'.repeat(40));
    expect(await store.take(failedOver, 'phone')).toBeNull();

    const emptied = await wholeQueue();
    await redis.flushAll();
    expect(await store.take(emptied, 'phone')).toBeNull();
  });
});
