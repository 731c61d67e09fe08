/** How much a new measurement counts: the last three or four batches decide. */
const weight = 0.3;

/**
 * Estimates how long a message would wait for its commit, so that one that would wait in vain is
 * refused at once instead of joining a queue in which everybody times out.
 */
export class CommitPace {
  private recentMs = 0;
  private startedAtMs: number | null = null;

  /** @param limitMs a wait longer than this is not worth beginning */
  constructor(private readonly limitMs: number) {}

  started(): void {
    this.startedAtMs = performance.now();
  }

  ended(): void {
    const elapsedMs = performance.now() - (this.startedAtMs ?? 0);
    this.startedAtMs = null;
    this.recentMs += weight * (elapsedMs - this.recentMs);
  }

  /**
   * Whether a message may join the queue. Always when nothing is being committed: somebody has to
   * find out how fast the database is now.
   *
   * @param batches that have to be committed until the message is
   */
  admits(batches: number): boolean {
    if (this.startedAtMs === null) return true;
    // One batch that takes longer than those before delays what waits; that all will take as long,
    // it does not say.
    const delayMs = Math.max(0, performance.now() - this.startedAtMs - this.recentMs);
    return delayMs + batches * this.recentMs <= this.limitMs;
  }
}
