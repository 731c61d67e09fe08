import { Injectable } from '@nestjs/common';
import { loadLua, messageBudgetKey, RedisCommands } from '../redis/index.js';
import { MessageBudgetStore, type BudgetGrant, type MessageRate } from './message-budget.store.js';

const leaseMessages = loadLua(import.meta.url, './lease-messages.lua');

/** Budgets in a hash per user; the clock is that of Redis. */
@Injectable()
export class RedisMessageBudgetStore extends MessageBudgetStore {
  constructor(private readonly redis: RedisCommands) {
    super();
  }

  override async lease(userId: string, wanted: number, { perSecond, burst }: MessageRate): Promise<BudgetGrant> {
    const reply = await this.redis.run(leaseMessages, [messageBudgetKey(userId)], [wanted, perSecond, burst]);
    const answer = Number(reply);
    return answer > 0 ? { granted: answer, waitMs: 0 } : { granted: 0, waitMs: -answer };
  }
}
