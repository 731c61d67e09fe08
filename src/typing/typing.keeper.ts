import { Injectable, Logger, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { Settings } from '../config/index.js';
import { LocalTypists } from './local-typists.js';
import { TypingAnnouncer } from './typing.announcer.js';
import { TypingDelivery } from './typing.delivery.js';
import { TypingStore } from './typing.store.js';

const maxTickMs = 500;

/**
 * Sweeps the store for typing that has ended by itself, whichever node it began on, and tells of
 * what it was handed. And ends for this node's sockets what nobody was handed, since the store was
 * emptied.
 */
@Injectable()
export class TypingKeeper implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly logger = new Logger(TypingKeeper.name);
  private readonly tickMs: number;
  private timer: NodeJS.Timeout | undefined;
  private ticking: Promise<void> = Promise.resolve();
  private isStopped = false;

  constructor(
    private readonly store: TypingStore,
    private readonly announcer: TypingAnnouncer,
    private readonly delivery: TypingDelivery,
    private readonly local: LocalTypists,
    settings: Settings,
  ) {
    this.tickMs = Math.min(maxTickMs, settings.typingTtlMs / 4);
  }

  onApplicationBootstrap(): void {
    this.schedule();
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
    try {
      this.local.forgetEnded();
      for (const end of await this.store.sweep()) this.announcer.announce({ ...end, endsAtMs: null });
      await this.endLost();
    } catch (error) {
      this.logger.debug(`typing waits for its store: ${String(error)}`);
    } finally {
      this.schedule();
    }
  }

  /** The end that was handed out may have been lost on the way, or with the store. */
  private async endLost(): Promise<void> {
    for (const told of this.delivery.overdue()) {
      const userIds = await this.store.typingIn(told.conversationId);
      if (!userIds.includes(told.userId)) this.announcer.endHere({ ...told, userIds });
    }
  }
}
