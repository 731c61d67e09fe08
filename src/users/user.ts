/** Who may see something of a user. */
export type Audience = 'everyone' | 'contacts' | 'nobody';

export const audiences: readonly Audience[] = ['everyone', 'contacts', 'nobody'];

/** What a user lets others see. Default: `contacts`, `contacts`, true. */
export interface Privacy {
  lastSeen: Audience;
  online: Audience;
  /** False hides his read cursor from others, and theirs from him. */
  readReceipts: boolean;
}

/** A user as he sees himself. */
export interface Profile {
  id: string;
  displayName: string | null;
  avatarUrl: string | null;
  privacy: Privacy;
  /** ISO 8601, UTC. */
  createdAt: string;
}

/** What of a profile is to change; what is left out stays, null takes away. */
export interface ProfileChange {
  displayName?: string | null;
  avatarUrl?: string | null;
  privacy?: Partial<Privacy>;
}
