import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, it } from 'vitest';
import { sharedRedisUrl } from '../../test/setup/services.js';
import { newRandomId } from '../common/index.js';
import { connectionLeaseContract } from './connection-lease.contract.js';
import { MemoryConnectionLeaseStore } from './memory.connection-lease.store.js';
import { RedisConnection } from './redis-connection.js';
import { RedisConnectionLeaseStore } from './redis.connection-lease.store.js';

describe('connection leases in memory', () => {
  it.each(connectionLeaseContract)('$name', async ({ check }) => {
    let now = Date.now();
    const store = new MemoryConnectionLeaseStore({ now: () => now });
    await check({ store, userId: 'alice', advance: async (ms) => void (now += ms) });
  });
});

describe('connection leases in Redis', () => {
  let connection: RedisConnection;

  beforeAll(async () => {
    connection = await RedisConnection.open(await sharedRedisUrl(), 1_000);
  });

  afterAll(() => connection.close());

  it.each(connectionLeaseContract)('$name', async ({ check }) => {
    const store = new RedisConnectionLeaseStore(connection.commands);
    // The clock is that of Redis: it can only be waited for.
    await check({ store, userId: newRandomId(), advance: async (ms) => void (await pause(ms)) });
  });
});
