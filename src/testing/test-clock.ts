import { Clock } from '../common/index.js';

/**
 * A clock that a test sets. It runs like the system's clock from the given time, or stands still.
 *
 * It decides what {@link Clock} decides: token expiry, rate budgets, the age of what nodes
 * remember. Where nodes must agree, the clocks of Postgres and Redis decide. A test cannot set
 * them; make those times short with settings.
 *
 * @since 0.1.0
 */
export class TestClock extends Clock {
  private offsetMs = 0;
  private stoppedAtMs: number | null = null;

  override now(): number {
    return this.stoppedAtMs ?? Date.now() + this.offsetMs;
  }

  /** Goes forward, or back with a negative number. */
  advance(ms: number): void {
    if (this.stoppedAtMs === null) this.offsetMs += ms;
    else this.stoppedAtMs += ms;
  }

  /**
   * Stands still from now on. @param atMs unix milliseconds; default: the present time of this
   * clock
   */
  stop(atMs: number = this.now()): void {
    this.stoppedAtMs = atMs;
  }
}
