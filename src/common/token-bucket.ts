/**
 * A rate budget: `burst` at once, `perSecond` over time.
 *
 * Own code, twenty lines: it runs for every event, so it has neither a promise nor a timer, which
 * the well-known libraries have. Its memory is two numbers beside the rate.
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
   * Takes as many tokens as something costs, or none. A cost above the burst takes one whole burst,
   * so a small setting makes expensive calls rare, not impossible.
   *
   * @returns 0 when there were enough, else the milliseconds until there will be
   */
  take(nowMs: number, units = 1): number {
    this.tokens = Math.min(this.burst, this.tokens + ((nowMs - this.lastMs) * this.perSecond) / 1_000);
    this.lastMs = nowMs;
    const wanted = Math.min(units, this.burst);
    if (this.tokens >= wanted) {
      this.tokens -= wanted;
      return 0;
    }
    return Math.ceil(((wanted - this.tokens) * 1_000) / this.perSecond);
  }

  /** Puts back what was taken for something that was then refused. */
  putBack(units: number): void {
    this.tokens = Math.min(this.burst, this.tokens + units);
  }
}
