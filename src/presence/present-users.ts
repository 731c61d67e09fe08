import { Injectable } from '@nestjs/common';
import { VisibleUsers } from '../realtime/index.js';
import { PresenceAnnouncer } from './presence.announcer.js';
import { PresenceStore, type PresenceReading } from './presence.store.js';
import { PresenceTracker } from './presence.tracker.js';

/**
 * Users who are online or away, for the notification of the others. While the store is unavailable,
 * nobody counts as hidden.
 */
@Injectable()
export class PresentUsers extends VisibleUsers {
  constructor(
    private readonly store: PresenceStore,
    private readonly tracker: PresenceTracker,
    private readonly announcer: PresenceAnnouncer,
  ) {
    super();
  }

  override async among(userIds: readonly string[]): Promise<ReadonlySet<string>> {
    // This node knows the status of its own sockets before the store does.
    const visible = new Set(userIds.filter((userId) => this.tracker.isVisibleHere(userId)));
    const others = userIds.filter((userId) => !visible.has(userId));
    if (others.length === 0) return visible;
    const readings = await this.store.read(others).catch(() => new Map<string, PresenceReading>());
    for (const userId of others) if (readings.get(userId)?.status !== 'offline') visible.add(userId);
    return visible;
  }

  override onHidden(listener: (userId: string) => void): void {
    this.announcer.onTold(({ userId, status }) => {
      if (status === 'offline') listener(userId);
    });
  }
}
