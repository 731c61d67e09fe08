import { Injectable, Logger, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { setTimeout as pause } from 'node:timers/promises';
import { isoTime } from '../conversations/index.js';
import { Metrics } from '../metrics/index.js';
import { NotificationRepository, type DueNotification } from './notification.repository.js';
import { CountingOfflineNotifier, OfflineNotifier, type OfflineNotification } from './offline.notifier.js';

const intervalMs = 1_000;
const maxAtOnce = 50;
// Below the first back-off: a call that is late does not meet its own repetition.
const timeoutMs = 4_500;

/** Hands due notifications to the notifier, on every node; each is taken by one node at a time. */
@Injectable()
export class NotificationDispatcher implements OnModuleInit, OnApplicationShutdown {
  private readonly logger = new Logger(NotificationDispatcher.name);
  private timer: NodeJS.Timeout | null = null;
  private running: Promise<void> | null = null;
  private isWoken = false;

  constructor(
    private readonly notifier: OfflineNotifier,
    private readonly repository: NotificationRepository,
    private readonly metrics: Metrics,
  ) {}

  onModuleInit(): void {
    if (this.notifier instanceof CountingOfflineNotifier) return;
    this.timer = setInterval(() => this.wake(), intervalMs);
  }

  async onApplicationShutdown(): Promise<void> {
    if (this.timer) clearInterval(this.timer);
    this.isWoken = false;
    await this.running;
  }

  /** Something is due. Never throws, never waits. */
  wake(): void {
    this.isWoken = true;
    this.running ??= this.run()
      .catch((error: unknown) => this.logger.debug(`notifications put off: ${String(error)}`))
      .finally(() => (this.running = null));
  }

  private async run(): Promise<void> {
    while (this.isWoken) {
      this.isWoken = false;
      const due = await this.repository.claim(maxAtOnce);
      if (due.length === 0) continue;
      const outcomes = await Promise.all(due.map((one) => this.tell(one)));
      const done = due.filter((_one, i) => outcomes[i]);
      if (done.length > 0) await this.repository.settle(done);
      this.isWoken ||= due.length === maxAtOnce;
    }
  }

  /** @returns whether it is settled */
  private async tell(due: DueNotification): Promise<boolean> {
    const notification = notificationOf(due);
    if (!notification) return true;
    const outcome = await this.attempt(notification);
    this.metrics.count('parley_offline_notifications_total', { outcome });
    return outcome === 'told';
  }

  private async attempt(notification: OfflineNotification): Promise<'told' | 'failed'> {
    const expiry = new AbortController();
    const late = pause(timeoutMs, 'failed' as const, { signal: expiry.signal }).catch(() => 'failed' as const);
    try {
      return await Promise.race([this.notifier.notify(notification).then(() => 'told' as const), late]);
    } catch (error) {
      this.logger.warn(`notification ${notification.eventId} failed: ${String(error)}`);
      return 'failed';
    } finally {
      expiry.abort();
    }
  }
}

/** @returns null when there is nothing left to tell: the message was deleted */
function notificationOf({ userId, conversationId, seq, messageId, senderId, createdAt }: DueNotification) {
  if (messageId === null || senderId === null || createdAt === null) return null;
  const eventId = `${conversationId}:${seq}:${userId}`;
  return { eventId, userId, conversationId, messageId, seq, senderId, createdAt: isoTime(createdAt) };
}
