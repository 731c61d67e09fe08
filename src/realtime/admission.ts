import { Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { setTimeout as sleep } from 'node:timers/promises';
import { ChatError, Clock, TokenBucket } from '../common/index.js';
import { Settings } from '../config/index.js';

/**
 * How long a handshake may wait for its turn. With the handshake's own work it stays below the
 * contract's 3 s.
 */
const maxWaitMs = 1_500;
/**
 * Handshakes worked on at the same time: more of them would only make each slower than its
 * time-out.
 */
const maxAtOnce = 50;
const maxTurnWaitMs = 5_000;
/** Of one user, unless more sockets are allowed: all devices twice, and then all of them every second. */
const leastPerUser = { perSecond: 20, burst: 40 };
const maxUsers = 10_000;

/**
 * Spreads the handshakes of one node: `HANDSHAKES_BURST` at once, `HANDSHAKES_PER_SECOND` over
 * time.
 *
 * Only handshakes with a good token come here, and of one user no more than that user's devices
 * need: nobody else's handshakes take the places of a storm of reconnects, which a refusal would
 * not end (a stock client does not try again after one). In such a storm those above the rate wait
 * their turn for up to 1.5 s; only what would wait longer is refused.
 */
@Injectable()
export class HandshakeAdmission {
  private readonly perSecond: number;
  private readonly burst: number;
  private readonly perUser: { perSecond: number; burst: number };
  private readonly users = new LRUCache<string, TokenBucket>({ max: maxUsers });
  /** Below zero: turns of the future that are taken. */
  private tokens: number;
  private lastMs: number;
  private running = 0;
  private readonly line = new Set<() => void>();

  constructor(
    private readonly clock: Clock,
    settings: Settings,
  ) {
    const { handshakesPerSecond, handshakesBurst, maxSocketsPerUser } = settings;
    this.perSecond = handshakesPerSecond;
    this.burst = handshakesBurst;
    this.perUser = {
      perSecond: Math.max(leastPerUser.perSecond, maxSocketsPerUser),
      burst: Math.max(leastPerUser.burst, 2 * maxSocketsPerUser),
    };
    this.tokens = this.burst;
    this.lastMs = clock.now();
  }

  /**
   * Does a handshake's work when it is its turn: after its place in the rate, and when fewer than 50
   * others are worked on, for which it waits up to 5 s.
   *
   * @throws ChatError RATE_LIMITED with `retryAfterMs`, or what `work` throws
   */
  async run<T>(userId: string, work: () => Promise<T>): Promise<T> {
    this.charge(userId);
    const waitMs = this.reserve();
    if (waitMs > 0) await sleep(waitMs);
    if (this.running < maxAtOnce) this.running += 1;
    else await this.turn();
    try {
      return await work();
    } finally {
      this.passOn();
    }
  }

  private charge(userId: string): void {
    const nowMs = this.clock.now();
    const { perSecond, burst } = this.perUser;
    const budget = this.users.get(userId) ?? new TokenBucket(perSecond, burst, nowMs);
    this.users.set(userId, budget);
    const waitMs = budget.take(nowMs);
    if (waitMs > 0) throw tooMany(waitMs);
  }

  /** Resolves when another handshake has passed its place on. */
  private turn(): Promise<void> {
    return new Promise((resolve, reject) => {
      const next = () => {
        clearTimeout(timer);
        resolve();
      };
      const timer = setTimeout(() => {
        this.line.delete(next);
        reject(tooMany(maxTurnWaitMs));
      }, maxTurnWaitMs);
      this.line.add(next);
    });
  }

  private passOn(): void {
    const [next] = this.line;
    if (next === undefined) {
      this.running -= 1;
      return;
    }
    this.line.delete(next);
    next();
  }

  /** Takes a turn, perhaps one of the future. @returns milliseconds until it comes */
  private reserve(): number {
    const nowMs = this.clock.now();
    this.tokens = Math.min(this.burst, this.tokens + ((nowMs - this.lastMs) * this.perSecond) / 1_000);
    this.lastMs = nowMs;
    const waitMs = Math.max(0, Math.ceil(((1 - this.tokens) * 1_000) / this.perSecond));
    if (waitMs > maxWaitMs) throw tooMany(waitMs);
    this.tokens -= 1;
    return waitMs;
  }
}

function tooMany(retryAfterMs: number): ChatError {
  return new ChatError('RATE_LIMITED', { message: 'Too many handshakes', retryAfterMs });
}
