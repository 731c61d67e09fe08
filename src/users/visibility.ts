import type { Audience } from './user.js';

/** What one user, the viewer, may see of another. */
export interface Sight {
  /** Whether they are told that the other is online, away or offline. */
  readonly online: boolean;
  /**
   * Whether they are told when the other was last here. Never without `online`: the time of going
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
   * The user has accepted the viewer (contract, section 10.1): added them as a contact, opened or
   * sent in their direct conversation, or created or sent in a group that both are in.
   */
  isAccepted: boolean;
  /** The user's; the defaults for one who was never seen. */
  privacy: { online: Audience; lastSeen: Audience };
}

/** What users see of themselves. */
export const ownSight: Sight = { online: true, lastSeen: true, isBlocked: false };

/**
 * What a viewer may see of a user: the one place where blocks, privacy and acceptance are weighed
 * (ADR-0027).
 */
export function sightOf({ isBlocked, isAccepted, privacy }: Relation): Sight {
  if (isBlocked) return { online: false, lastSeen: false, isBlocked };
  const isIn = (audience: Audience): boolean => audience === 'everyone' || (audience === 'contacts' && isAccepted);
  const online = isIn(privacy.online);
  return { online, lastSeen: online && isIn(privacy.lastSeen), isBlocked };
}
