/** When a user was last seen. */
export interface Sighting {
  userId: string;
  /** Unix milliseconds. */
  atMs: number;
}

/**
 * Remembers when users were last online, beyond a restart of everything. DI token; default {@link
 * LastSeenRepository}.
 *
 * Written seldom, by rule: when a user goes offline, when a node shuts down in good order, and
 * every few minutes for who stays online; never per heartbeat. Fails with `ChatError UNAVAILABLE`
 * while Postgres is away.
 */
export abstract class LastSeen {
  /**
   * Takes the later of what it knows and this, each; in one statement. Users it does not know are
   * left out.
   */
  abstract record(sightings: readonly Sighting[]): Promise<void>;
  /** @returns Unix milliseconds by user id, without those never seen */
  abstract of(userIds: readonly string[]): Promise<Map<string, number>>;
}
