import {
  Injectable,
  Logger,
  type BeforeApplicationShutdown,
  type OnApplicationBootstrap,
  type OnApplicationShutdown,
} from '@nestjs/common';
import { Clock } from '../common/index.js';
import { Settings } from '../config/index.js';
import { LastSeenWriter } from './last-seen.writer.js';
import { PresenceStore } from './presence.store.js';
import { PresenceSweeper } from './presence.sweeper.js';
import { PresenceTracker } from './presence.tracker.js';

const maxTickMs = 500;
const maxRenewIntervalMs = 10_000;
const maxHoldMs = 2_000;
/** Interval at which the last-seen time of users who stay online is written to Postgres. */
const checkpointIntervalMs = 600_000;

/**
 * Renews this node's leases and sweeps the store for what has come due, whichever node it belonged
 * to.
 *
 * A node that was held up (frozen, or without the store) lets its event loop find out which sockets
 * are gone before it renews, and gives the others time to renew before it sweeps: after an outage
 * of the store nobody is offline who is still there.
 */
@Injectable()
export class PresenceKeeper implements OnApplicationBootstrap, BeforeApplicationShutdown, OnApplicationShutdown {
  private readonly logger = new Logger(PresenceKeeper.name);
  private readonly tickMs: number;
  private readonly renewIntervalMs: number;
  /** Without a good tick for longer, leases of others may have ended that only await a renewal. */
  private readonly stallMs: number;
  private timer: NodeJS.Timeout | undefined;
  private isStopped = false;
  private ticking: Promise<void> = Promise.resolve();
  private lastTickAt = performance.now();
  private lastGoodAt = performance.now();
  private renewedAt = performance.now();
  private holdUntil = 0;
  private checkpointAt = performance.now() + checkpointIntervalMs * (0.5 + Math.random() / 2);

  constructor(
    private readonly store: PresenceStore,
    private readonly tracker: PresenceTracker,
    private readonly sweeper: PresenceSweeper,
    private readonly lastSeen: LastSeenWriter,
    private readonly clock: Clock,
    settings: Settings,
  ) {
    this.tickMs = Math.min(maxTickMs, settings.presenceTtlMs / 6);
    this.renewIntervalMs = Math.min(maxRenewIntervalMs, settings.presenceTtlMs / 3);
    this.stallMs = Math.max(this.tickMs * 3, settings.presenceTtlMs / 3);
  }

  onApplicationBootstrap(): void {
    this.schedule();
  }

  /**
   * Before the sockets are closed: who is here now was seen now, even if nothing of the store
   * survives.
   */
  async beforeApplicationShutdown(): Promise<void> {
    await this.recordPresent();
  }

  async onApplicationShutdown(): Promise<void> {
    this.isStopped = true;
    clearTimeout(this.timer);
    await this.ticking;
  }

  private schedule(): void {
    if (this.isStopped) return;
    // Spread, so that the nodes do not all look at the same moment.
    const delayMs = this.tickMs * (0.8 + Math.random() * 0.4);
    this.timer = setTimeout(() => (this.ticking = this.tick()), delayMs);
  }

  private async tick(): Promise<void> {
    const wasFrozen = performance.now() - this.lastTickAt > this.stallMs;
    this.lastTickAt = performance.now();
    try {
      if (!wasFrozen) await this.keep();
    } catch (error) {
      this.logger.debug(`presence waits for its store: ${String(error)}`);
    } finally {
      this.lastTickAt = performance.now();
      this.schedule();
    }
  }

  private async keep(): Promise<void> {
    const now = performance.now();
    const wasStalled = now - this.lastGoodAt > this.stallMs;
    if (this.store.isIncomplete) this.sweeper.noteEmptied();
    if (wasStalled || this.store.isIncomplete || now - this.renewedAt >= this.renewIntervalMs) {
      await this.tracker.renew();
      this.renewedAt = now;
    }
    if (wasStalled) this.holdUntil = performance.now() + Math.min(maxHoldMs, this.stallMs);
    if (performance.now() >= this.holdUntil) await this.sweeper.sweep();
    this.lastGoodAt = performance.now();
    if (now >= this.checkpointAt) await this.checkpoint();
  }

  private async checkpoint(): Promise<void> {
    this.checkpointAt = performance.now() + checkpointIntervalMs;
    await this.recordPresent();
  }

  private recordPresent(): Promise<void> {
    const atMs = this.clock.now();
    return this.lastSeen.write([...this.tracker.visibleUserIds()].map((userId) => ({ userId, atMs })));
  }
}
