import type { Server, Socket } from 'socket.io';

/** What this file uses of an Engine.IO socket; `sendPacket` is not in its public types. */
interface EngineSocket {
  transport: { name: string };
  sendPacket(type: string, data?: unknown, options?: object, sent?: () => void): void;
  on(event: 'packet', listener: (packet: { type: string }) => void): void;
  on(event: 'upgrade', listener: () => void): void;
}

const echoes = new WeakMap<object, TransportEcho>();

/**
 * Proof of arrival on one transport: a pong answers a ping, and a transport is ordered, so whatever
 * was written before that ping has arrived. No other packet proves anything (contract, section 1).
 *
 * Pings are counted as they are written, Engine.IO's own included, and pongs are matched to them in
 * order: the pong to an earlier ping says nothing of what was written after that ping. Pings on
 * their way while the transport is upgraded count for nothing.
 */
export class TransportEcho {
  /** Pings written so far. Something written now is proven by the pong to a later ping. */
  generation = 0;
  private answered = 0;
  private doubtfulUpTo = 0;
  private listener: (() => void) | null = null;
  private provenUpTo = 0;
  private provenAtMs: number | null = null;
  /** When the pings on their way were written, oldest first; of `performance.now()`. */
  private readonly writtenAtMs: number[] = [];

  private constructor(private readonly transport: EngineSocket) {
    transport.sendPacket = sendCounted;
    transport.on('packet', ({ type }) => {
      if (type === 'pong') this.hear();
    });
    if (transport.transport.name === 'websocket') return;
    transport.on('upgrade', () => (this.doubtfulUpTo = this.generation));
  }

  /** Watches every transport of a server from its first packet on. */
  static watch(server: Server): void {
    server.engine.on('connection', (transport: EngineSocket) => echoes.set(transport, new TransportEcho(transport)));
  }

  static of(socket: Socket): TransportEcho {
    const echo = echoes.get(socket.conn);
    if (!echo) throw new Error('the transport is not watched: TransportEcho.watch was not called');
    return echo;
  }

  /** Whether what was written at this generation has arrived. */
  isProven(generation: number): boolean {
    return this.provenUpTo > generation;
  }

  /** How long ago the last ping was written of which it is known that it arrived; null: none. */
  get provenAgeMs(): number | null {
    return this.provenAtMs === null ? null : performance.now() - this.provenAtMs;
  }

  /** Whether a ping that proves this generation is on its way, or was answered. */
  isAsked(generation: number): boolean {
    return this.generation > Math.max(generation, this.doubtfulUpTo);
  }

  /** Sends a ping, unless one that proves this generation is on its way. */
  ask(generation: number): void {
    if (!this.isAsked(generation)) this.transport.sendPacket('ping');
  }

  /** One listener: called after every pong. */
  onPong(listener: () => void): void {
    this.listener = listener;
  }

  /** Called before a ping is written. */
  count(): void {
    this.generation += 1;
    this.writtenAtMs.push(performance.now());
  }

  private hear(): void {
    // A pong nobody asked for proves nothing.
    if (this.answered >= this.generation) return;
    this.answered += 1;
    const writtenAtMs = this.writtenAtMs.shift()!;
    if (this.answered > this.doubtfulUpTo) {
      this.provenUpTo = this.answered;
      this.provenAtMs = writtenAtMs;
    }
    this.listener?.();
  }
}

/**
 * In place of Engine.IO's `sendPacket`: a listener to `packetCreate` would be called for every
 * packet.
 */
function sendCounted(this: EngineSocket, type: string, data?: unknown, options?: object, sent?: () => void): void {
  if (type === 'ping') echoes.get(this)?.count();
  (Object.getPrototypeOf(this) as EngineSocket).sendPacket.call(this, type, data, options, sent);
}
