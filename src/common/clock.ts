/**
 * The time of this process, in one place, so that tests can set it.
 *
 * Decides only what is local to a process: token expiry, rate budgets, time-outs. What several
 * nodes must agree on is decided by the clock of the store that holds it (Postgres
 * `clock_timestamp()`, Redis `TIME`).
 */
export abstract class Clock {
  /** Unix milliseconds. */
  abstract now(): number;
}

export class SystemClock extends Clock {
  override now(): number {
    return Date.now();
  }
}
