import type { Audience } from './user.js';

/** What one user, the viewer, may see of another. */
export interface Sight {
  /** Whether he is told that the other is online, away or offline. */
  readonly online: boolean;
  /**
   * Whether he is told when the other was last here. Never without `online`: the time of going
   * tells of having been.
   */
  readonly lastSeen: boolean;
  /**
   * Whether one of the two blocks the other: then neither sees anything of the other's, typing
   * included.
   */
  readonly isBlocked: boolean;
}

/** What stands between a viewer and a user, as stored. */
export interface Relation {
  /** One of the two blocks the other. */
  isBlocked: boolean;
  /**
   * The viewer is the user's contact: added by him, or the other side of their direct conversation.
   */
  isContact: boolean;
  /** Both take part in some conversation. */
  sharesConversation: boolean;
  /** The user's; the defaults when he has never been seen. */
  privacy: { online: Audience; lastSeen: Audience };
}

/** What everybody sees of himself. */
export const ownSight: Sight = { online: true, lastSeen: true, isBlocked: false };

/**
 * What a viewer may see of a user: the one place where blocks, privacy and contacts are weighed
 * (contract, section 8).
 */
export function sightOf({ isBlocked, isContact, sharesConversation, privacy }: Relation): Sight {
  if (isBlocked) return { online: false, lastSeen: false, isBlocked };
  const isIn = (audience: Audience): boolean =>
    audience === 'everyone' || (audience === 'contacts' && (isContact || sharesConversation));
  const online = isIn(privacy.online);
  return { online, lastSeen: online && isIn(privacy.lastSeen), isBlocked };
}
