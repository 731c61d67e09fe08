/**
 * A rate budget: `burst` at once, `perSecond` over time.
 *
 * Own code, fifteen lines: it runs for every event, so it has neither a promise nor a timer, which
 * the well-known libraries have. Its memory is two numbers.
 */
export class TokenBucket {
  private tokens: number;

  constructor(
    private readonly perSecond: number,
    private readonly burst: number,
    private lastMs: number,
  ) {
    this.tokens = burst;
  }

  /**
   * Takes one token.
   * @returns 0 when there was one, else the milliseconds until there will be
   */
  take(nowMs: number): number {
    this.tokens = Math.min(this.burst, this.tokens + ((nowMs - this.lastMs) * this.perSecond) / 1_000);
    this.lastMs = nowMs;
    if (this.tokens >= 1) {
      this.tokens -= 1;
      return 0;
    }
    return Math.ceil(((1 - this.tokens) * 1_000) / this.perSecond);
  }

  /** Whether the budget is whole again, so that forgetting the bucket changes nothing. */
  isFull(nowMs: number): boolean {
    return this.tokens + ((nowMs - this.lastMs) * this.perSecond) / 1_000 >= this.burst;
  }
}
