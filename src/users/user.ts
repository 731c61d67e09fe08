import type { User } from '../common/index.js';

/**
 * Who may see something of a user, or do something with them. `contacts`: whom the user has
 * accepted (ADR-0027).
 */
export type Audience = 'everyone' | 'contacts' | 'nobody';

export const audiences: readonly Audience[] = ['everyone', 'contacts', 'nobody'];

/** What a user lets others see and do. Default: `contacts`, `contacts`, `everyone`, true. */
export interface Privacy {
  lastSeen: Audience;
  online: Audience;
  /**
   * Who may add the user to a group; here `contacts` leaves out who is accepted by a group only.
   */
  groups: Audience;
  /** False hides the user's read cursor from others, and theirs from the user. */
  readReceipts: boolean;
}

/** A user as he sees himself. */
export interface Profile extends User {
  privacy: Privacy;
  /** ISO 8601, UTC. */
  createdAt: string;
}

/** What of one's privacy is to change; what is left out stays, null sets the default. */
export type PrivacyChange = { [K in keyof Privacy]?: Privacy[K] | null };

/** What of a profile is to change; what is left out stays, null takes away. */
export interface ProfileChange {
  displayName?: string | null;
  avatarUrl?: string | null;
  privacy?: PrivacyChange;
}
