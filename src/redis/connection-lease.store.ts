/** One socket of one user. */
export interface ConnectionLease {
  userId: string;
  connectionId: string;
}

/**
 * Counts the sockets of a user over all nodes, by leases that end by themselves when a node dies.
 *
 * The store's clock decides what has ended. A store that was emptied counts from nothing until the
 * leases are renewed.
 */
export abstract class ConnectionLeaseStore {
  /**
   * Takes a lease, atomically with the count. A connection that has one gets it renewed.
   *
   * @returns false when the user has `max` others already
   */
  abstract acquire(userId: string, connectionId: string, limits: { max: number; ttlMs: number }): Promise<boolean>;
  /** Makes leases last `ttlMs` from now; one that was lost is taken anew, whatever the count. */
  abstract renew(leases: readonly ConnectionLease[], ttlMs: number): Promise<void>;
  /** Gives a lease back; none to give back is no error. */
  abstract release(userId: string, connectionId: string): Promise<void>;
}
