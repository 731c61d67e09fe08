import { Injectable } from '@nestjs/common';
import { UserGate } from './user-gate.js';

/** Below half of the default pool, with a line as long as a burst. */
const atOnce = 4;
const maxWaiting = 200;
/** Half of the default pool for slow reads, so that two users at least are served at once. */
const slowAtOnce = 2;
const slowMaxWaiting = 6;

/**
 * Bounds how much Postgres does for one user at the same time (contract, section 10): whatever a
 * user starts at once, others find connections, also where all of it waits for one row.
 *
 * Sends need no turn: they are committed in batches, over one connection. Everything else that an
 * event or a request makes Postgres do, and whose price grows with what is stored or with a lock,
 * has its place in one of four lines. A work in one of them may enter another one, never its own.
 */
@Injectable()
export class UserTurns {
  private readonly requests = new UserGate(atOnce, maxWaiting);
  private readonly reads = new UserGate(atOnce, maxWaiting);
  private readonly changes = new UserGate(atOnce, maxWaiting);
  private readonly slowReads = new UserGate(slowAtOnce, slowMaxWaiting);

  /**
   * The turn of a GET request whose route does not declare a cost.
   *
   * @returns what is to be called when the request is answered
   * @throws ChatError RATE_LIMITED
   */
  request(userId: string): Promise<() => void> {
    return this.requests.enter(userId);
  }

  /** Of an event. @throws ChatError RATE_LIMITED, or what `work` throws */
  read<T>(userId: string, work: () => Promise<T>): Promise<T> {
    return this.reads.run(userId, work);
  }

  /**
   * A transaction that locks what others may change as well. Calls get their turn in the order in
   * which they come.
   *
   * @throws ChatError RATE_LIMITED, or what `work` throws
   */
  change<T>(userId: string, work: () => Promise<T>): Promise<T> {
    return this.changes.run(userId, work);
  }

  /**
   * A read that may take seconds, such as a search. Its statements go to `SlowSql`.
   *
   * @throws ChatError RATE_LIMITED when more than a few of the user's are waiting, or what `work`
   *   throws
   */
  slow<T>(userId: string, work: () => Promise<T>): Promise<T> {
    return this.slowReads.run(userId, work);
  }
}
