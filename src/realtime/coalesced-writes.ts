import type { Server } from 'socket.io';

import { writeAtOnce } from './websocket-frames.js';

/** What this file uses of an Engine.IO socket beyond its types. */
interface EngineSocket {
  flush(): void;
  writeBuffer: unknown[];
}

/** So many sockets written to at once make a wide write. */
export const wideAt = 64;
/**
 * As many times as long as the last one took: a pause below that is none, and a hold lasts no
 * longer.
 */
const patience = 4;
const maxHoldMs = 10;

/**
 * One write per socket and turn of the event loop, instead of two per packet (ADR-0009).
 *
 * Packets of a turn stay in Engine.IO's own write buffer, which is flushed once after the turn's
 * events: order, backpressure, upgrades and polling stay Engine.IO's. `COALESCE_WRITES=false`
 * leaves Engine.IO as it is.
 *
 * Where writing to many takes more than a fifth of the time, every second such write waits for the
 * next, so that sockets are written to once for both: at most four times as long as one takes, and
 * 10 ms. What else is written to such a socket takes along what waits there.
 */
export class CoalescedWrites {
  private pending = new Set<EngineSocket>();
  /** Sockets of a wide write that waits for the next. */
  private held = new Set<EngineSocket>();
  private holdTimer: NodeJS.Timeout | undefined;
  /** Whether wide writes of this turn wait; null: none yet. */
  private isHeldTurn: boolean | null = null;
  private isHolding = false;
  private lastWide = { tookMs: 0, endedAtMs: -Infinity };
  private plainFlush!: (this: EngineSocket) => void;

  constructor(
    private readonly server: Server,
    private readonly now: () => number = () => performance.now(),
  ) {
    const add = (socket: EngineSocket): void => this.add(socket);
    function flushLater(this: EngineSocket): void {
      add(this);
    }
    server.engine.on('connection', (connection: unknown) => {
      const socket = connection as EngineSocket;
      this.plainFlush ??= socket.flush;
      socket.flush = flushLater;
    });
  }

  /** @param write writes to many sockets, which may wait for a moment */
  widely(write: () => void): void {
    this.isHeldTurn ??= this.beginWideTurn();
    this.isHolding = this.isHeldTurn;
    try {
      write();
    } finally {
      this.isHolding = false;
    }
  }

  /** @returns whether the wide writes of this turn wait for the next */
  private beginWideTurn(): boolean {
    setImmediate(() => (this.isHeldTurn = null));
    const { tookMs, endedAtMs } = this.lastWide;
    const patienceMs = Math.min(patience * tookMs, maxHoldMs);
    const isHeld = this.held.size === 0 && tookMs >= 1 && this.now() - endedAtMs < patienceMs;
    this.release();
    if (isHeld) this.holdTimer = setTimeout(() => this.release(), patienceMs);
    return isHeld;
  }

  private release(): void {
    clearTimeout(this.holdTimer);
    const { held } = this;
    if (held.size === 0) return;
    this.held = new Set();
    for (const socket of held) this.add(socket);
  }

  private add(socket: EngineSocket): void {
    // Engine.IO asks also whenever a write is done.
    if (socket.writeBuffer.length === 0) return;
    if (this.isHolding) return void this.held.add(socket);
    if (this.pending.size === 0) setImmediate(() => this.flushAll());
    this.pending.add(socket);
  }

  private flushAll(): void {
    const sockets = this.pending;
    this.pending = new Set();
    const startedAtMs = this.now();
    const { engine } = this.server;
    const isWatched = engine.listenerCount('flush') + engine.listenerCount('drain') > 0;
    for (const socket of sockets) if (isWatched || !writeAtOnce(socket)) this.plainFlush.call(socket);
    if (sockets.size < wideAt) return;
    const endedAtMs = this.now();
    this.lastWide = { tookMs: endedAtMs - startedAtMs, endedAtMs };
  }
}
