import { Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { ChatError, Clock } from '../common/index.js';
import { Settings } from '../config/index.js';
import { TokenBucket } from '../realtime/index.js';

const maxUsers = 100_000;

/** How many messages a user may send: `RATE_MESSAGES_PER_SECOND` over time, `RATE_MESSAGES_BURST` at once. */
@Injectable()
export class MessageBudget {
  private readonly buckets = new LRUCache<string, TokenBucket>({ max: maxUsers });

  constructor(
    private readonly settings: Settings,
    private readonly clock: Clock,
  ) {}

  /** @throws ChatError RATE_LIMITED with `retryAfterMs` */
  take(userId: string): void {
    const waitMs = this.bucketOf(userId).take(this.clock.now());
    if (waitMs > 0) throw new ChatError('RATE_LIMITED', { retryAfterMs: waitMs });
  }

  private bucketOf(userId: string): TokenBucket {
    const known = this.buckets.get(userId);
    if (known) return known;
    const { rateMessagesPerSecond, rateMessagesBurst } = this.settings;
    const bucket = new TokenBucket(rateMessagesPerSecond, rateMessagesBurst, this.clock.now());
    this.buckets.set(userId, bucket);
    return bucket;
  }
}
