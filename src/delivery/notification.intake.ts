import { Injectable } from '@nestjs/common';
import type { CommittedChanges } from '../conversations/index.js';
import { Metrics } from '../metrics/index.js';
import { NotificationDispatcher } from './notification.dispatcher.js';
import { NotificationRepository } from './notification.repository.js';
import { CountingOfflineNotifier, OfflineNotifier } from './offline.notifier.js';

/** A user who was away, and what was committed meanwhile. */
export interface AwayRecipient {
  userId: string;
  changes: CommittedChanges[];
}

/** Takes notifications in; durable when it resolves. With the default notifier it only counts. */
@Injectable()
export class NotificationIntake {
  constructor(
    private readonly notifier: OfflineNotifier,
    private readonly repository: NotificationRepository,
    private readonly dispatcher: NotificationDispatcher,
    private readonly metrics: Metrics,
  ) {}

  /** @throws ChatError UNAVAILABLE */
  async take(away: readonly AwayRecipient[]): Promise<void> {
    const ranges = away.flatMap(({ userId, changes }) =>
      changes.map(({ conversationId, fromRev, toRev }) => ({ userId, conversationId, fromRev, toRev })),
    );
    if (this.notifier instanceof CountingOfflineNotifier) {
      this.metrics.count('parley_offline_notifications_total', { outcome: 'counted' }, ranges.length);
      return this.notifier.count(ranges.length);
    }
    await this.repository.add(ranges);
    this.dispatcher.wake();
  }
}
