import { Injectable } from '@nestjs/common';
import type { Actor } from '../auth/index.js';
import { ChatError, invalid, type Presence } from '../common/index.js';
import { Settings } from '../config/index.js';
import { ConnectionRegistry, type Connection } from '../realtime/index.js';
import { PresencePolicy, type PresenceSight } from './presence.policy.js';
import { PresenceReader } from './presence.reader.js';
import type { DeviceStatus } from './presence.store.js';
import { PresenceSubscriptions } from './presence.subscriptions.js';
import { PresenceTracker } from './presence.tracker.js';

const everything: PresenceSight = { online: true, lastSeen: true };

/** Requests about presence, from sockets and REST. */
@Injectable()
export class PresenceService {
  constructor(
    private readonly reader: PresenceReader,
    private readonly tracker: PresenceTracker,
    private readonly policy: PresencePolicy,
    private readonly subscriptions: PresenceSubscriptions,
    private readonly registry: ConnectionRegistry,
    private readonly settings: Settings,
  ) {}

  /**
   * Sets the status of the actor's device, for all its sockets. It lasts until the device changes
   * it or its last socket closes.
   *
   * @returns the user's own presence, combined over their devices
   * @fires user-online or user-offline on a change
   */
  async setStatus(actor: Actor, status: DeviceStatus): Promise<Presence> {
    await this.tracker.intend(actor, status);
    const [own] = await this.reader.look([actor.userId], new Map([[actor.userId, everything]]));
    return own!;
  }

  /**
   * The answer is the same for a user who may not be seen and for a user who does not exist:
   * `offline`, never seen. While Redis is unavailable it is `unknown`.
   *
   * @param userIds repeated ids count once
   * @param max more are `VALIDATION_FAILED`; default `MAX_USER_IDS`
   * @returns in the order of the request; `lastSeenAt` of an online user is now
   * @throws ChatError VALIDATION_FAILED | UNAVAILABLE (nobody can say what the actor may see)
   */
  async presencesOf(actor: Actor, userIds: readonly string[], max = this.settings.maxUserIds): Promise<Presence[]> {
    if (userIds.length > max) throw invalid('userIds', `at most ${max}`);
    const asked = [...new Set(userIds)];
    return this.reader.look(asked, await this.policy.visibleTo(actor.userId, asked));
  }

  /**
   * From before it is answered, the actor's socket hears of changes. @throws ChatError as {@link
   * presencesOf}
   */
  async subscribe(actor: Actor, userIds: readonly string[]): Promise<Presence[]> {
    if (userIds.length > this.settings.maxUserIds) throw invalid('userIds', `at most ${this.settings.maxUserIds}`);
    this.subscriptions.add(this.connectionOf(actor), [...new Set(userIds)]);
    return this.presencesOf(actor, userIds);
  }

  /** Contacts are still heard of. @throws ChatError as {@link presencesOf} */
  async unsubscribe(actor: Actor, userIds: readonly string[]): Promise<Presence[]> {
    this.subscriptions.remove(this.connectionOf(actor), userIds);
    return this.presencesOf(actor, userIds);
  }

  private connectionOf(actor: Actor): Connection {
    const connection = actor.connectionId === null ? undefined : this.registry.get(actor.connectionId);
    // The socket has gone while its event was on the way; nobody hears the answer.
    if (!connection) throw new ChatError('UNAVAILABLE', { message: 'The connection is gone' });
    return connection;
  }
}
