import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startRedis, type TestRedis } from '../../test/setup/services.js';
import { ChatError, Clock, newRandomId } from '../common/index.js';
import { makeSettings } from '../config/index.js';
import { RedisConnection } from '../redis/index.js';
import { MemoryMessageBudgetStore } from './memory.message-budget.store.js';
import { messageBudgetContract } from './message-budget.contract.js';
import { MessageBudget } from './message.budget.js';
import { MessageBudgetStore } from './message-budget.store.js';
import { RedisMessageBudgetStore } from './redis.message-budget.store.js';

class TurnedClock extends Clock {
  nowMs = 1_000_000;
  override now(): number {
    return this.nowMs;
  }
}

const clock = new TurnedClock();
const settings = makeSettings({ rateMessagesPerSecond: 1, rateMessagesBurst: 20 });

describe('in memory', () => {
  it.each(messageBudgetContract)('$name', async ({ check }) => {
    const store = new MemoryMessageBudgetStore(clock);
    await check({ store, userId: newRandomId(), advance: async (ms) => void (clock.nowMs += ms) });
  });
});

describe('in Redis', () => {
  let redis: TestRedis;
  let connection: RedisConnection;

  beforeAll(async () => {
    redis = await startRedis();
    connection = await RedisConnection.open(redis.url, 1_000);
  });

  afterAll(async () => {
    await connection?.close();
    await redis?.stop();
  });

  it.each(messageBudgetContract)('$name', async ({ check }) => {
    const store = new RedisMessageBudgetStore(connection.commands);
    await check({ store, userId: newRandomId(), advance: async (ms) => void (await pause(ms)) });
  });
});

class CountedStore extends MemoryMessageBudgetStore {
  leases = 0;
  override lease(...args: Parameters<MemoryMessageBudgetStore['lease']>) {
    this.leases += 1;
    return super.lease(...args);
  }
}

class AwayStore extends MessageBudgetStore {
  override lease(): Promise<never> {
    return Promise.reject(new ChatError('UNAVAILABLE'));
  }
}

async function accepted(budgets: MessageBudget[], count: number): Promise<number> {
  const takes = Array.from({ length: count }, async (_, i) => budgets[i % budgets.length]!.take('user'));
  const settled = await Promise.allSettled(takes);
  const refused = settled.filter((one) => one.status === 'rejected');
  for (const { reason } of refused) expect(reason).toMatchObject({ code: 'RATE_LIMITED', retryAfterMs: 1_000 });
  return settled.length - refused.length;
}

describe('MessageBudget', () => {
  it('lets the burst through over two nodes together', async () => {
    const store = new MemoryMessageBudgetStore(clock);
    const nodes = [new MessageBudget(settings, clock, store), new MessageBudget(settings, clock, store)];
    expect(await accepted(nodes, 50)).toBe(20);
  });

  it('asks the store for one send in several only', async () => {
    const store = new CountedStore(clock);
    await accepted([new MessageBudget(settings, clock, store)], 20);
    expect(store.leases).toBe(10);
  });

  it('counts for itself while the store is away', async () => {
    expect(await accepted([new MessageBudget(settings, clock, new AwayStore())], 50)).toBe(20);
  });
});
