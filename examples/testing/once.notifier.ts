import { Injectable } from '@nestjs/common';
import { OfflineNotifier, type OfflineNotification } from '../../src/index.js';

/** Hands notifications to a push service, each event once. */
@Injectable()
export class OnceNotifier extends OfflineNotifier {
  /** Notifications that the push service received. */
  readonly pushed: OfflineNotification[] = [];
  /** By event; in a real one with an expiry, in a store all nodes share. */
  private readonly seen = new Set<string>();

  override async notify(notification: OfflineNotification): Promise<void> {
    if (this.seen.has(notification.eventId)) return;
    this.seen.add(notification.eventId);
    this.pushed.push(notification);
  }
}
