import { Logger } from '@nestjs/common';
import type { Server } from 'socket.io';

/** What this file uses of an Engine.IO socket beyond its types. */
interface EngineSocket {
  id: string;
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
 * Cuts connections that do not read what they are sent (guarantee 12).
 *
 * Unread is what waits in Engine.IO, what the WebSocket library has taken and what the kernel has not. A packet that
 * comes when more than `maxBytes` are unread already ends the connection at the transport, at once, also within one
 * turn of the event loop; a stock client then reconnects and syncs. So a connection costs at most `maxBytes` and one
 * packet, and a single large answer to a fast reader is no reason to cut it.
 */
export function cutSlowReaders(server: Server, maxBytes: number): void {
  const logger = new Logger('SlowReader');
  server.engine.on('connection', (connection: unknown) => {
    const socket = connection as EngineSocket;
    let waitingBytes = 0;
    socket.on('flush', () => (waitingBytes = 0));
    socket.on('packetCreate', ({ data }) => {
      const unreadBytes = waitingBytes + (socket.transport.socket?.bufferedAmount ?? 0);
      waitingBytes += sizeOf(data);
      if (unreadBytes <= maxBytes) return;
      logger.warn(`connection ${socket.id} is cut: ${unreadBytes} bytes unread`);
      cut(socket);
    });
  });
}

/** Characters for bytes: what is bounded is memory, and counting each broadcast again for every socket would cost more. */
function sizeOf(data: unknown): number {
  if (typeof data === 'string') return data.length;
  return ArrayBuffer.isView(data) || data instanceof ArrayBuffer ? data.byteLength : 0;
}

function cut(socket: EngineSocket): void {
  const { transport } = socket;
  // `discard`: do not wait until what is unread has been sent.
  socket.close(true);
  // A WebSocket's own goodbye would wait behind the unread bytes for half a minute.
  transport.socket?.terminate();
  transport.res?.destroy();
}
