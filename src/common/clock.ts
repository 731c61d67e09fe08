/**
 * The time of this process, in one place, so that tests can set it.
 *
 * Use it only for decisions of one process: token expiry, rate budgets, time-outs. Where several
 * nodes must agree, the store that holds the data decides (Postgres `clock_timestamp()`, Redis
 * `TIME`).
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
