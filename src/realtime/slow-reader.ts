import { Logger } from '@nestjs/common';
import type { Server } from 'socket.io';

/** What this file uses of an Engine.IO socket beyond its types. */
interface EngineSocket {
  id: string;
  readyState: string;
  on(event: 'packetCreate', listener: (packet: { data?: unknown }) => void): void;
  on(event: 'flush', listener: () => void): void;
  close(discard: boolean): void;
  transport: { socket?: WebSocketLike; res?: { destroy(): void } | null };
}

/** The WebSocket of the `ws` package; long polling has none. */
interface WebSocketLike {
  bufferedAmount: number;
  terminate(): void;
}

/**
 * How long more than the limit may be unread: a page of large messages is above it for a moment,
 * whoever reads.
 */
const graceMs = 250;
/** At this many times the limit there is no grace. */
const hardFactor = 4;

/**
 * Cuts connections that do not read what they are sent (guarantee 12).
 *
 * Unread is what waits in Engine.IO and what the WebSocket library has taken and the kernel has
 * not. A connection with more than `maxBytes` of it, and still so after 250 ms, is ended at the
 * transport: a stock client then reconnects and syncs. At four times `maxBytes` it is ended at
 * once, also within one turn of the event loop, so a connection never costs more than that and one
 * packet. A single large answer to a fast reader is no reason to cut it.
 */
export function cutSlowReaders(server: Server, maxBytes: number): void {
  server.engine.on('connection', (connection: unknown) => new UnreadWatch(connection as EngineSocket, maxBytes));
}

/** Counts one connection's unread bytes. */
class UnreadWatch {
  private static readonly logger = new Logger('SlowReader');
  private waitingBytes = 0;
  /**
   * At most this much was unread when packets were last handed to the transport: it only falls
   * until the next time.
   */
  private unreadAtFlush = 0;
  private grace: NodeJS.Timeout | null = null;

  constructor(
    private readonly socket: EngineSocket,
    private readonly maxBytes: number,
  ) {
    socket.on('flush', () => {
      this.unreadAtFlush = this.unreadBytes;
      this.waitingBytes = 0;
    });
    socket.on('packetCreate', ({ data }) => {
      // The sum is above what is unread; only when it is above the limit, too, it is worth looking.
      if (this.unreadAtFlush + this.waitingBytes > maxBytes && this.unreadBytes > maxBytes) this.isOver();
      this.waitingBytes += sizeOf(data);
    });
  }

  private get unreadBytes(): number {
    return this.waitingBytes + (this.socket.transport.socket?.bufferedAmount ?? 0);
  }

  private isOver(): void {
    if (this.unreadBytes > hardFactor * this.maxBytes) return this.cut();
    this.grace ??= setTimeout(() => {
      this.grace = null;
      if (this.unreadBytes > this.maxBytes) this.cut();
    }, graceMs);
  }

  private cut(): void {
    const { socket, unreadBytes } = this;
    if (socket.readyState === 'closed') return;
    UnreadWatch.logger.warn(`connection ${socket.id} is cut: ${unreadBytes} bytes unread`);
    const { transport } = socket;
    // `discard`: do not wait until what is unread has been sent.
    socket.close(true);
    // A WebSocket's own goodbye would wait behind the unread bytes for half a minute.
    transport.socket?.terminate();
    transport.res?.destroy();
    this.waitingBytes = 0;
  }
}

/**
 * Characters for bytes: what is bounded is memory, and counting each broadcast again for every
 * socket would cost more.
 */
function sizeOf(data: unknown): number {
  if (typeof data === 'string') return data.length;
  return ArrayBuffer.isView(data) || data instanceof ArrayBuffer ? data.byteLength : 0;
}
