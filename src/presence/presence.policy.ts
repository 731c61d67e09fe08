import type { Presence } from '../common/index.js';

/** The parts of a user's presence that a viewer may see. */
export interface PresenceSight {
  /**
   * Whether the viewer sees that the user is online, away or offline. Otherwise they see `offline`,
   * as for a user who does not exist.
   */
  readonly online: boolean;
  /**
   * Whether the viewer sees when the user was last online. It counts only together with `online`.
   */
  readonly lastSeen: boolean;
}

/**
 * Decides who sees whose presence. Default: contacts, blocks and privacy ({@link
 * ContactsPresencePolicy}). Replace it for a directory of colleagues, support teams, or nobody at
 * all.
 *
 * Called for every answer and before every event, on the node of the viewer. So a change counts
 * from the next event on. Not called for the `user-online` and `user-offline` that users receive
 * about themselves. `audienceOf` is called once per change of a user's status, on one node.
 *
 * Allowed answers: an entry for each requested id. A missing entry means "may see nothing", and the
 * viewer then gets the answer for a user who does not exist. A throw fails the request with its
 * code (a ChatError) or `INTERNAL`, and drops the event, so nothing is shown when in doubt. The
 * only time-out is that of the event, so keep the data in memory. There is one policy; to combine
 * several, write one that calls them.
 *
 * @since 0.1.0
 * @example ParleyModule.forRoot({ presencePolicy: ColleaguesPolicy })
 */
export abstract class PresencePolicy {
  /**
   * The users who receive a user's presence without a subscription. {@link seenBy} is called for
   * each of them as well.
   */
  abstract audienceOf(userId: string): Promise<readonly string[]>;
  /** The presence of several users that one viewer may see. @returns by user id */
  abstract visibleTo(viewerId: string, userIds: readonly string[]): Promise<ReadonlyMap<string, PresenceSight>>;
  /** The presence of one user that several viewers may see. @returns by viewer id */
  abstract seenBy(userId: string, viewerIds: readonly string[]): Promise<ReadonlyMap<string, PresenceSight>>;
}

/**
 * A presence as a viewer may see it: the one place where it is taken away. Hidden, blocked and
 * unknown users give the same bytes.
 */
export function presenceSeen(presence: Presence, sight: PresenceSight | undefined): Presence {
  const { userId, status, lastSeenAt } = presence;
  if (!sight?.online) return { userId, status: 'offline', lastSeenAt: null };
  return { userId, status, lastSeenAt: sight.lastSeen ? lastSeenAt : null };
}
