import { Injectable } from '@nestjs/common';
import { setTimeout as sleep } from 'node:timers/promises';
import { ChatError, Clock } from '../common/index.js';
import { Settings } from '../config/index.js';

/** How long a handshake may wait for its turn. With the handshake's own work it stays below the contract's 3 s. */
const maxWaitMs = 1_500;

/**
 * Spreads the handshakes of one node: `HANDSHAKES_BURST` at once, `HANDSHAKES_PER_SECOND` over time.
 *
 * For a storm of reconnects, which a refusal would not end (a stock client does not try again after one), those above
 * the rate wait their turn for up to 1.5 s; only what would wait longer is refused, before its token is looked at.
 */
@Injectable()
export class HandshakeAdmission {
  private readonly perSecond: number;
  private readonly burst: number;
  /** Below zero: turns of the future that are taken. */
  private tokens: number;
  private lastMs: number;

  constructor(
    private readonly clock: Clock,
    settings: Settings,
  ) {
    this.perSecond = settings.handshakesPerSecond;
    this.burst = settings.handshakesBurst;
    this.tokens = this.burst;
    this.lastMs = clock.now();
  }

  /** Resolves when it is the handshake's turn. @throws ChatError RATE_LIMITED with `retryAfterMs` */
  async enter(): Promise<void> {
    const waitMs = this.reserve();
    if (waitMs > 0) await sleep(waitMs);
  }

  /** Takes a turn, perhaps one of the future. @returns milliseconds until it comes */
  private reserve(): number {
    const nowMs = this.clock.now();
    this.tokens = Math.min(this.burst, this.tokens + ((nowMs - this.lastMs) * this.perSecond) / 1_000);
    this.lastMs = nowMs;
    const waitMs = Math.max(0, Math.ceil(((1 - this.tokens) * 1_000) / this.perSecond));
    if (waitMs > maxWaitMs)
      throw new ChatError('RATE_LIMITED', { message: 'Too many handshakes', retryAfterMs: waitMs });
    this.tokens -= 1;
    return waitMs;
  }
}
