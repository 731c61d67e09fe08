import { Injectable, Logger } from '@nestjs/common';

/**
 * A message that reached nobody's eyes: its recipient had no visible device when it was committed.
 */
export interface OfflineNotification {
  /** The same whenever this is told again. */
  eventId: string;
  userId: string;
  conversationId: string;
  messageId: string;
  /** The message's place in its conversation. */
  seq: number;
  senderId: string;
  /** ISO 8601, UTC. */
  createdAt: string;
}

/**
 * Tells users who have no visible device that they have mail: push, e-mail, a queue of the team's
 * own. Visible is a device that is connected and has not said `user-offline` (the app is in the
 * background; it still gets the message live).
 *
 * Called after commit, on one node, once per message and recipient without a visible device, also
 * when the node that committed has died. Not called for the sender, for messages from before
 * joining, nor for edits, deletions and reactions. Never holds up a send. Carries no body: what may
 * be shown on a lock screen is for the implementation to decide, and to read.
 *
 * At least once: an implementation drops an `eventId` it has seen. Resolving is success. A throw,
 * or 4.5 s without an answer, is failure: it is called again after 5 s, 10 s, 20 s and so on, up to
 * an hour, for as long as it takes, also after a restart. Up to 50 calls run at a time on a node,
 * in no order. A node's death counts as the end of its connections a minute later, when their
 * leases end.
 *
 * @since 0.1.0
 * @example ParleyModule.forRoot({ offlineNotifier: ApnsNotifier })
 */
export abstract class OfflineNotifier {
  abstract notify(notification: OfflineNotification): Promise<void>;
}

/** The default: says how many there would have been. Nothing is stored for it. */
@Injectable()
export class CountingOfflineNotifier extends OfflineNotifier {
  private readonly logger = new Logger(CountingOfflineNotifier.name);

  override async notify({ eventId }: OfflineNotification): Promise<void> {
    this.count(1, eventId);
  }

  count(events: number, what = 'users who are away'): void {
    this.logger.debug(`${events} notifications for ${what}; no OfflineNotifier is configured`);
  }
}
