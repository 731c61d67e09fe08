import { Injectable } from '@nestjs/common';
import { ChatError, Clock, newRandomId } from '../common/index.js';
import { Settings } from '../config/index.js';
import type { Connection } from './connection.js';

// Node's timers overflow above this and would fire at once.
const maxTimerMs = 2_147_483_647;

/** Connections whose tokens end at the same time. */
interface Moment {
  connections: Set<Connection>;
  timer: NodeJS.Timeout | null;
}

/**
 * Ends connections whose token has expired: `error` with `TOKEN_EXPIRED`, then a disconnect.
 *
 * At `exp`; only a token that was past it already when it was presented, within the leeway for
 * differing clocks, lasts until the leeway ends. One timer for all tokens that end at the same
 * time, since `exp` is in whole seconds.
 */
@Injectable()
export class TokenExpiry {
  private readonly moments = new Map<number, Moment>();
  private readonly endsAtMs = new Map<Connection, number>();

  constructor(
    private readonly clock: Clock,
    private readonly settings: Settings,
  ) {}

  /** Watches a connection's present token, in place of the one before. */
  watch(connection: Connection): void {
    this.forget(connection);
    const { expiresAtMs } = connection.actor.principal;
    const isPast = expiresAtMs <= this.clock.now();
    const endsAtMs = isPast ? expiresAtMs + this.settings.jwtLeewaySeconds * 1_000 : expiresAtMs;
    this.endsAtMs.set(connection, endsAtMs);
    this.momentOf(endsAtMs).connections.add(connection);
  }

  forget(connection: Connection): void {
    const endsAtMs = this.endsAtMs.get(connection);
    if (endsAtMs === undefined) return;
    this.endsAtMs.delete(connection);
    const moment = this.moments.get(endsAtMs);
    if (!moment?.connections.delete(connection) || moment.connections.size > 0) return;
    if (moment.timer) clearTimeout(moment.timer);
    this.moments.delete(endsAtMs);
  }

  private momentOf(endsAtMs: number): Moment {
    const known = this.moments.get(endsAtMs);
    if (known) return known;
    const moment: Moment = { connections: new Set(), timer: null };
    this.moments.set(endsAtMs, moment);
    this.wait(moment, endsAtMs, Math.max(0, endsAtMs - this.clock.now()));
    return moment;
  }

  private wait(moment: Moment, endsAtMs: number, leftMs: number): void {
    const stepMs = Math.min(leftMs, maxTimerMs);
    moment.timer = setTimeout(() => {
      if (leftMs > stepMs) return this.wait(moment, endsAtMs, leftMs - stepMs);
      this.moments.delete(endsAtMs);
      for (const connection of moment.connections) {
        connection.refuse(new ChatError('TOKEN_EXPIRED').toBody(newRandomId()));
      }
    }, stepMs);
  }
}
