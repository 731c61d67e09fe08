import { Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { ChatError, Clock } from '../common/index.js';
import { Settings } from '../config/index.js';
import { MemoryMessageBudgetStore } from './memory.message-budget.store.js';
import { MessageBudgetStore, type MessageRate } from './message-budget.store.js';

const maxUsers = 100_000;
/**
 * A node leases a tenth of the burst at a time: most sends cost no command, and little lies idle on
 * a node.
 */
const slicesPerBurst = 10;
/**
 * What a node has leased and not used by then is given up, so that it cannot be saved up for a
 * larger burst.
 */
const leaseMs = 10_000;

interface Lease {
  left: number;
  endsAtMs: number;
  deniedUntilMs: number;
  asking: Promise<void> | null;
}

/**
 * How many messages a user may send, over all nodes: `RATE_MESSAGES_PER_SECOND` over time,
 * `RATE_MESSAGES_BURST` at once.
 *
 * While Redis is away each node counts for itself.
 */
@Injectable()
export class MessageBudget {
  private readonly leases = new LRUCache<string, Lease>({ max: maxUsers });
  private readonly rate: MessageRate;
  private readonly slice: number;
  private readonly ownStore: MessageBudgetStore;

  constructor(
    settings: Settings,
    private readonly clock: Clock,
    private readonly store: MessageBudgetStore,
  ) {
    this.rate = { perSecond: settings.rateMessagesPerSecond, burst: settings.rateMessagesBurst };
    this.slice = Math.ceil(this.rate.burst / slicesPerBurst);
    this.ownStore = new MemoryMessageBudgetStore(clock);
  }

  /**
   * Spends one message.
   *
   * @returns a promise only when a new lease has to be asked for
   * @throws ChatError RATE_LIMITED with `retryAfterMs`
   */
  take(userId: string): Promise<void> | null {
    const lease = this.leaseOf(userId);
    return spend(lease, this.clock.now()) ? null : this.askAndTake(userId, lease);
  }

  private async askAndTake(userId: string, lease: Lease): Promise<void> {
    while (!spend(lease, this.clock.now())) {
      const waitMs = lease.deniedUntilMs - this.clock.now();
      if (waitMs > 0) throw new ChatError('RATE_LIMITED', { retryAfterMs: waitMs });
      lease.asking ??= this.renew(userId, lease).finally(() => (lease.asking = null));
      await lease.asking;
    }
  }

  private async renew(userId: string, lease: Lease): Promise<void> {
    const { granted, waitMs } = await this.store
      .lease(userId, this.slice, this.rate)
      .catch(() => this.ownStore.lease(userId, this.slice, this.rate));
    const nowMs = this.clock.now();
    lease.left = granted;
    lease.endsAtMs = nowMs + leaseMs;
    lease.deniedUntilMs = nowMs + waitMs;
  }

  private leaseOf(userId: string): Lease {
    const known = this.leases.get(userId);
    if (known) return known;
    const lease: Lease = { left: 0, endsAtMs: 0, deniedUntilMs: 0, asking: null };
    this.leases.set(userId, lease);
    return lease;
  }
}

function spend(lease: Lease, nowMs: number): boolean {
  if (lease.left <= 0 || nowMs > lease.endsAtMs) return false;
  lease.left -= 1;
  return true;
}
