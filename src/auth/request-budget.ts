import { Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { ChatError, Clock, TokenBucket } from '../common/index.js';
import { Settings } from '../config/index.js';

const maxUsers = 100_000;

/**
 * What a user's REST requests may cost on this node: `RATE_REQUESTS_PER_SECOND` over time,
 * `RATE_REQUESTS_BURST` at once (ADR-0025). The least recently seen of 100,000 users is forgotten.
 */
@Injectable()
export class RequestBudget {
  private readonly budgets = new LRUCache<string, TokenBucket>({ max: maxUsers });

  constructor(
    private readonly clock: Clock,
    private readonly settings: Settings,
  ) {}

  /** @throws ChatError RATE_LIMITED with `retryAfterMs`; then nothing is taken */
  take(userId: string, units: number): void {
    const waitMs = this.budgetOf(userId).take(this.clock.now(), units);
    if (waitMs > 0) throw new ChatError('RATE_LIMITED', { retryAfterMs: waitMs });
  }

  /** Puts back what was taken for a request that is refused for its cost. */
  putBack(userId: string, units: number): void {
    this.budgetOf(userId).putBack(units);
  }

  private budgetOf(userId: string): TokenBucket {
    const known = this.budgets.get(userId);
    if (known) return known;
    const { rateRequestsPerSecond, rateRequestsBurst } = this.settings;
    const budget = new TokenBucket(rateRequestsPerSecond, rateRequestsBurst, this.clock.now());
    this.budgets.set(userId, budget);
    return budget;
  }
}
