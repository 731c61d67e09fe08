import { ChatError } from '../common/index.js';

interface UserTurns {
  running: number;
  waiting: (() => void)[];
}

/**
 * Lets a few works of each user run at the same time; further ones wait for those, and beyond the
 * line they are refused. So whatever one user starts at once, others find connections to Postgres.
 *
 * Kept in memory, per node; a user without work costs nothing.
 */
export class UserGate {
  private readonly users = new Map<string, UserTurns>();

  /**
   * @param atOnce works of one user that run at the same time
   * @param maxWaiting works of one user that wait for them
   */
  constructor(
    private readonly atOnce: number,
    private readonly maxWaiting: number,
  ) {}

  /** @throws ChatError RATE_LIMITED when too many wait already, or what `work` throws */
  async run<T>(userId: string, work: () => Promise<T>): Promise<T> {
    const leave = await this.enter(userId);
    try {
      return await work();
    } finally {
      leave();
    }
  }

  /**
   * Resolves when it is the user's turn.
   *
   * @returns what is to be called, once, when the work has ended
   * @throws ChatError RATE_LIMITED
   */
  async enter(userId: string): Promise<() => void> {
    const turns = this.users.get(userId) ?? { running: 0, waiting: [] };
    this.users.set(userId, turns);
    if (turns.running < this.atOnce) turns.running += 1;
    else await this.turn(turns);
    return () => this.passOn(userId, turns);
  }

  private turn({ waiting }: UserTurns): Promise<void> {
    if (waiting.length >= this.maxWaiting) throw new ChatError('RATE_LIMITED', { retryAfterMs: 1_000 });
    return new Promise((resolve) => waiting.push(resolve));
  }

  private passOn(userId: string, turns: UserTurns): void {
    const next = turns.waiting.shift();
    if (next) return next();
    turns.running -= 1;
    if (turns.running === 0) this.users.delete(userId);
  }
}
