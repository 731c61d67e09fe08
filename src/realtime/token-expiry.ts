import { Injectable } from '@nestjs/common';
import { ChatError, Clock, newRandomId } from '../common/index.js';
import { Settings } from '../config/index.js';
import type { Connection } from './connection.js';

// Node's timers overflow above this and would fire at once.
const maxTimerMs = 2_147_483_647;

/**
 * Ends connections whose token has expired: `error` with `TOKEN_EXPIRED`, then a disconnect.
 *
 * At `exp`; only a token that was past it already when it was presented, within the leeway for differing clocks, lasts
 * until the leeway ends.
 */
@Injectable()
export class TokenExpiry {
  private readonly timers = new WeakMap<Connection, NodeJS.Timeout>();

  constructor(
    private readonly clock: Clock,
    private readonly settings: Settings,
  ) {}

  /** Watches a connection's present token, in place of the one before. */
  watch(connection: Connection): void {
    this.forget(connection);
    const leftMs = connection.actor.principal.expiresAtMs - this.clock.now();
    const waitMs = leftMs > 0 ? leftMs : leftMs + this.settings.jwtLeewaySeconds * 1_000;
    this.wait(connection, Math.max(0, waitMs));
  }

  forget(connection: Connection): void {
    clearTimeout(this.timers.get(connection));
  }

  private wait(connection: Connection, leftMs: number): void {
    const stepMs = Math.min(leftMs, maxTimerMs);
    const timer = setTimeout(() => {
      if (leftMs > stepMs) this.wait(connection, leftMs - stepMs);
      else connection.refuse(new ChatError('TOKEN_EXPIRED').toBody(newRandomId()));
    }, stepMs);
    this.timers.set(connection, timer);
  }
}
