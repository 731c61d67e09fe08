/** One user on another's list of contacts or blocks. */
export interface ListedUser {
  userId: string;
  /** ISO 8601, UTC. */
  createdAt: string;
}

/**
 * What came of putting a user on a list. `full`: it has as many as it may have, and he was not
 * among them.
 */
export type Addition = 'added' | 'present' | 'full';
