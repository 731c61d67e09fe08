import { Injectable, Logger } from '@nestjs/common';
import type { Presence } from '../common/index.js';
import { ConnectionRegistry, PacketWriter, type Connection } from '../realtime/index.js';
import { presenceSeen, PresencePolicy, type PresenceSight } from './presence.policy.js';
import { PresenceSubscriptions } from './presence.subscriptions.js';
import { ToldPresences } from './told-presences.js';

/** A change of a user's presence, for all nodes. */
export interface PresenceNotice {
  presence: Presence;
  /** Ids of the users who have this user as a contact. */
  audience: string[];
  /** When it changed, Unix microseconds of the store's clock. */
  atUs: number;
}

/**
 * Sends changes of presence to this node's sockets: to contacts and subscribers, as far as each may
 * see. The order holds across nodes: a change that a later one has overtaken is dropped.
 */
@Injectable()
export class PresenceDelivery {
  private readonly logger = new Logger(PresenceDelivery.name);
  private tail: Promise<void> = Promise.resolve();

  constructor(
    private readonly policy: PresencePolicy,
    private readonly subscriptions: PresenceSubscriptions,
    private readonly told: ToldPresences,
    private readonly registry: ConnectionRegistry,
    private readonly writer: PacketWriter,
  ) {}

  deliver(notices: readonly PresenceNotice[]): void {
    const news = notices.filter(({ presence, atUs }) => this.told.advance(presence, atUs));
    this.tail = this.tail.then(() => this.deliverAll(news));
  }

  private async deliverAll(notices: readonly PresenceNotice[]): Promise<void> {
    for (const notice of notices) {
      try {
        await this.deliverOne(notice);
      } catch (error) {
        // If visibility cannot be decided, nothing is sent. Viewers learn the status when they ask.
        this.logger.debug(`a change of presence was not told: ${String(error)}`);
      }
    }
  }

  private async deliverOne({ presence, audience }: PresenceNotice): Promise<void> {
    const listeners = this.listenersOf(presence.userId, audience);
    if (listeners.size === 0) return;
    const viewerIds = [...new Set([...listeners].map(({ userId }) => userId))];
    const sights = await this.policy.seenBy(presence.userId, viewerIds);
    for (const hasLastSeen of [true, false]) {
      const alike = [...listeners].filter(({ userId }) => seesAs(sights.get(userId), hasLastSeen));
      this.writer.write(alike, eventOf(presence), presenceSeen(presence, { online: true, lastSeen: hasLastSeen }));
    }
  }

  private listenersOf(userId: string, audience: readonly string[]): Set<Connection> {
    const listeners = new Set(this.subscriptions.to(userId));
    for (const viewerId of audience) {
      for (const connection of this.registry.ofUser(viewerId)) listeners.add(connection);
    }
    return listeners;
  }
}

function seesAs(sight: PresenceSight | undefined, hasLastSeen: boolean): boolean {
  return sight?.online === true && sight.lastSeen === hasLastSeen;
}

function eventOf({ status }: Presence): string {
  return status === 'offline' ? 'user-offline' : 'user-online';
}
