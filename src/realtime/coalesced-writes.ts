import type { Server } from 'socket.io';

/** What this file uses of an Engine.IO socket beyond its types. */
interface EngineSocket {
  flush(): void;
  transport: { name: string; socket?: { _socket?: { cork(): void; uncork(): void } } };
}

/**
 * One system call per socket and turn of the event loop, instead of one per packet (ADR-0009).
 *
 * Packets of a turn stay in Engine.IO's own write buffer, which is flushed once after the turn's events: order,
 * backpressure, upgrades and polling stay Engine.IO's. System calls are half of what a bare relay spends.
 * `COALESCE_WRITES=false` leaves Engine.IO as it is.
 */
export function coalesceWrites(server: Server): void {
  const pending = new Set<EngineSocket>();
  let plainFlush: (this: EngineSocket) => void;

  function flushAll(): void {
    const sockets = [...pending];
    pending.clear();
    for (const socket of sockets) flushCorked(socket);
  }

  function flushCorked(socket: EngineSocket): void {
    const stream = socket.transport.socket?._socket;
    stream?.cork();
    try {
      plainFlush.call(socket);
    } finally {
      stream?.uncork();
    }
  }

  function flushLater(this: EngineSocket): void {
    if (pending.size === 0) setImmediate(flushAll);
    pending.add(this);
  }

  server.engine.on('connection', (connection: unknown) => {
    const socket = connection as EngineSocket;
    plainFlush ??= socket.flush;
    socket.flush = flushLater;
  });
}
