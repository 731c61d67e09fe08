import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, it } from 'vitest';
import { sharedRedisUrl } from '../../test/setup/services.js';
import { newId } from '../common/index.js';
import { makeSettings } from '../config/index.js';
import { RedisConnection } from '../redis/index.js';
import { MemoryTypingStore } from './memory.typing.store.js';
import { RedisTypingStore } from './redis.typing.store.js';
import { typingContractSettings, typingStoreContract } from './typing-store.contract.js';

const settings = makeSettings({ ...typingContractSettings, jwtSecret: 'x'.repeat(32) });

describe('typing in memory', () => {
  it.each(typingStoreContract)('$name', async ({ check }) => {
    let now = Date.now();
    const store = new MemoryTypingStore({ now: () => now }, settings);
    await check({ store, other: store, conversationId: newId(), advance: async (ms) => void (now += ms) });
  });
});

describe('typing in Redis', () => {
  let connection: RedisConnection;

  beforeAll(async () => {
    connection = await RedisConnection.open(await sharedRedisUrl(), 1_000);
  });

  afterAll(() => connection.close());

  it.each(typingStoreContract)('$name', async ({ check }) => {
    const newStore = () => new RedisTypingStore(connection.commands, settings);
    // The clock is that of Redis: it can only be waited for.
    await check({ store: newStore(), other: newStore(), conversationId: newId(), advance: (ms) => pause(ms) });
  });
});
