import { Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { ChatError, Clock, TokenBucket } from '../common/index.js';
import { Settings } from '../config/index.js';

const maxNetworks = 10_000;

/**
 * Counts bad tokens by the network that they come from (`FAILED_SIGN_INS_PER_MINUTE`), on this
 * node.
 *
 * Only an answer changes above the limit, never who gets in: people behind one address share it
 * with whoever guesses there. The least recently seen of 10,000 networks is forgotten.
 */
@Injectable()
export class FailedSignIns {
  private readonly budgets = new LRUCache<string, TokenBucket>({ max: maxNetworks });
  private readonly perMinute: number;

  constructor(
    private readonly clock: Clock,
    settings: Settings,
  ) {
    this.perMinute = settings.failedSignInsPerMinute;
  }

  /**
   * Notes a bad token.
   *
   * @param network as `clientNetwork` names it
   * @returns null, or what to answer instead of `UNAUTHENTICATED`
   */
  note(network: string): ChatError | null {
    const nowMs = this.clock.now();
    const budget = this.budgets.get(network) ?? new TokenBucket(this.perMinute / 60, this.perMinute, nowMs);
    this.budgets.set(network, budget);
    const waitMs = budget.take(nowMs);
    if (waitMs === 0) return null;
    return new ChatError('RATE_LIMITED', { message: 'Too many bad tokens from this address', retryAfterMs: waitMs });
  }
}
