import { Injectable } from '@nestjs/common';
import { UserGate } from './user-gate.js';

/** Below half of the default pool, with a line as long as a burst of events. */
const reads = { atOnce: 4, waiting: 200 };
/** Half of the default pool for slow reads, so that two users at least are served at once. */
const slowReads = { atOnce: 2, waiting: 6 };

/**
 * Bounds how many reads of one user Postgres works on at the same time. Every GET request passes
 * it, unless its route declares a cost. Services run those reads of events through it whose price
 * grows with what is stored. Sends do not pass it.
 *
 * A read that may take seconds (a search) goes through {@link slow} and sends its statements to
 * `SlowSql`: it takes no connection from anybody else, and more of them than a few at once are
 * `RATE_LIMITED`.
 */
@Injectable()
export class UserReads {
  private readonly requests = new UserGate(reads.atOnce, reads.waiting);
  private readonly reads = new UserGate(reads.atOnce, reads.waiting);
  private readonly slowReads = new UserGate(slowReads.atOnce, slowReads.waiting);

  /**
   * The turn of a GET request. Apart from {@link run}, which a request may call within its turn.
   *
   * @returns what is to be called when the request is answered
   * @throws ChatError RATE_LIMITED
   */
  request(userId: string): Promise<() => void> {
    return this.requests.enter(userId);
  }

  /** @throws ChatError RATE_LIMITED, or what `work` throws */
  run<T>(userId: string, work: () => Promise<T>): Promise<T> {
    return this.reads.run(userId, work);
  }

  /** @throws ChatError RATE_LIMITED, or what `work` throws */
  slow<T>(userId: string, work: () => Promise<T>): Promise<T> {
    return this.slowReads.run(userId, work);
  }
}
