import type { Presence } from '../common/index.js';

/** What a viewer may see of a user's presence. */
export interface PresenceSight {
  /**
   * Whether he is told that the user is online, away or offline; without it he is told `offline`,
   * as of nobody.
   */
  readonly online: boolean;
  /** Whether he is told when the user was last here. Counts only together with `online`. */
  readonly lastSeen: boolean;
}

/**
 * Says who sees whose presence. Default: contacts, blocks and privacy ({@link
 * ContactsPresencePolicy}). Replace it for a directory of colleagues, support teams, or nobody at
 * all.
 *
 * Called for every answer and before every event, on the node of whoever is told, so a change
 * counts from the next event on; not called for what users see of themselves over `user-online` and
 * `user-offline`. `audienceOf` is called once per change of a user's status, on one node.
 *
 * Allowed answers: an entry for each id asked for; one that is missing counts as "may see nothing".
 * Whoever may see nothing of a user gets what he would get of one who does not exist. A throw fails
 * the question with its code (a ChatError) or `INTERNAL`, and keeps an event back: nothing is shown
 * when in doubt. There is no time-out besides that of the event; keep what it needs in memory.
 * There is one policy; to combine several, write one that asks them.
 *
 * @since 0.1.0
 * @example ParleyModule.forRoot({ presencePolicy: ColleaguesPolicy })
 */
export abstract class PresencePolicy {
  /**
   * Who hears of a user's coming and going without asking; {@link seenBy} is asked for each of them
   * as well.
   */
  abstract audienceOf(userId: string): Promise<readonly string[]>;
  /** What one viewer may see of users. @returns by user id */
  abstract visibleTo(viewerId: string, userIds: readonly string[]): Promise<ReadonlyMap<string, PresenceSight>>;
  /** What viewers may see of one user. @returns by viewer id */
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
