import { Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { Clock } from '../common/index.js';
import { MessageBudgetStore, type BudgetGrant, type MessageRate } from './message-budget.store.js';

const maxUsers = 100_000;

/** Budgets of the one process. */
@Injectable()
export class MemoryMessageBudgetStore extends MessageBudgetStore {
  private readonly budgets = new LRUCache<string, { tokens: number; atMs: number }>({ max: maxUsers });

  constructor(private readonly clock: Clock) {
    super();
  }

  override async lease(userId: string, wanted: number, { perSecond, burst }: MessageRate): Promise<BudgetGrant> {
    const nowMs = this.clock.now();
    const before = this.budgets.get(userId) ?? { tokens: burst, atMs: nowMs };
    const tokens = Math.min(burst, before.tokens + ((nowMs - before.atMs) * perSecond) / 1_000);
    const granted = Math.min(wanted, Math.floor(tokens));
    this.budgets.set(userId, { tokens: tokens - granted, atMs: nowMs });
    if (granted > 0) return { granted, waitMs: 0 };
    return { granted: 0, waitMs: Math.ceil(((1 - tokens) * 1_000) / perSecond) };
  }
}
