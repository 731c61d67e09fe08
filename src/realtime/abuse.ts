const windowMs = 10_000;
/**
 * Refusals within the window, in bursts: far above what a client that honours `retryAfterMs` ever
 * reaches.
 */
const maxBursts = 10;

/**
 * Tells persistent abuse from a client that is merely too fast: one that goes on sending while it
 * is refused.
 *
 * Memory: two numbers a socket.
 */
export class AbuseWatch {
  private refusals = 0;
  private windowStartMs = 0;

  /** @param burst events a socket may send at once */
  constructor(private readonly burst: number) {}

  /**
   * Notes a refused event. @returns whether the socket has gone too far: ten bursts refused within
   * 10 s
   */
  refused(nowMs: number): boolean {
    if (nowMs - this.windowStartMs > windowMs) {
      this.windowStartMs = nowMs;
      this.refusals = 0;
    }
    this.refusals += 1;
    return this.refusals > maxBursts * this.burst;
  }
}
