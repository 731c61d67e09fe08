import type { PresenceStatus } from '../common/index.js';

/**
 * The status that a device shows. It may be `offline` while connected: an app in the background.
 */
export type DeviceStatus = 'online' | 'away' | 'offline';

/** One socket of one device of one user, as its node knows it. */
export interface PresenceLease {
  userId: string;
  connectionId: string;
  deviceId: string;
  status: DeviceStatus;
}

/**
 * A change of a connection.
 *
 * `connect`: it opened. `renew`: it is still open; a lost lease is taken again. `disconnect`: it
 * closed properly, so the grace period begins. `intend`: its device shows `lease.status`, on all
 * its sockets.
 */
export interface PresenceChange {
  verb: 'connect' | 'renew' | 'disconnect' | 'intend';
  lease: PresenceLease;
  /** With `intend`: what the device wanted before. */
  before?: DeviceStatus;
}

/** A change of what a user is seen as; handed out to exactly one caller. */
export interface PresenceTransition {
  userId: string;
  status: DeviceStatus;
  /** The user's last sign of life, Unix milliseconds of the store's clock. */
  seenAtMs: number;
  /**
   * When it happened, Unix microseconds of the store's clock: by this, whoever is told by several
   * nodes keeps their order.
   */
  atUs: number;
}

/** The present status of a user, consistent with the transitions that were returned. */
export interface PresenceReading {
  status: PresenceStatus;
  /** The store's clock, Unix milliseconds. */
  atMs: number;
}

/**
 * Presence over all nodes: leases of connections, combined per user (`online` beats `away` beats
 * `offline`).
 *
 * Guarantees:
 * - a lease ends `PRESENCE_TTL_MS` after its last renewal, by the store's clock, even if its node
 *   has died;
 * - a better status takes effect at once; a worse one at once by `intend` and when a lease ends by
 *   itself, but only `PRESENCE_GRACE_MS` after a `disconnect`, and then only if nothing better has
 *   come: any node's {@link sweep} finds it;
 * - every transition is returned by exactly one call on one node, and that node publishes it;
 * - after the store was emptied and its nodes have renewed, it returns no transition that they have
 *   already published.
 *
 * It does not survive a loss: leases that nobody renews are forgotten. Calls fail with `ChatError
 * UNAVAILABLE` while the store is unavailable.
 */
export abstract class PresenceStore {
  /**
   * Carries out changes, those of one user in their order. Not atomic over users: when it fails,
   * some may have been carried out, and transitions among them are lost.
   */
  abstract apply(changes: readonly PresenceChange[]): Promise<PresenceTransition[]>;
  /**
   * Renews every lease of this node. After this the store counts as complete again for this node
   * ({@link isIncomplete}).
   *
   * @param gone leases of this node that ended by `disconnect` and whose user nobody has heard to
   *   be offline since: a store that was emptied has forgotten that this is still to come
   */
  abstract renewAll(leases: readonly PresenceLease[], gone: readonly PresenceLease[]): Promise<PresenceTransition[]>;
  /** Finds what has come due. Bounded: what is left over is found by the next sweep. */
  abstract sweep(): Promise<PresenceTransition[]>;
  /**
   * Those whose record may be missing because the store was emptied a moment ago are `unknown`.
   * @returns by user id, one for each
   */
  abstract read(userIds: readonly string[]): Promise<Map<string, PresenceReading>>;
  /** Whether the store was found emptied since this node's last {@link renewAll}: renew at once. */
  abstract readonly isIncomplete: boolean;
}
