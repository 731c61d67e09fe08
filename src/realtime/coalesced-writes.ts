import type { Server } from 'socket.io';

import { writeAtOnce } from './websocket-frames.js';

/** What this file uses of an Engine.IO socket beyond its types. */
interface EngineSocket {
  flush(): void;
  writeBuffer: unknown[];
}

/**
 * One write per socket and turn of the event loop, instead of two per packet (ADR-0009).
 *
 * Packets of a turn stay in Engine.IO's own write buffer, which is flushed once after the turn's events: order,
 * backpressure, upgrades and polling stay Engine.IO's. `COALESCE_WRITES=false` leaves Engine.IO as it is.
 */
export function coalesceWrites(server: Server): void {
  let pending = new Set<EngineSocket>();
  let plainFlush: (this: EngineSocket) => void;

  function flushAll(): void {
    const sockets = pending;
    pending = new Set();
    const isWatched = server.engine.listenerCount('flush') + server.engine.listenerCount('drain') > 0;
    for (const socket of sockets) if (isWatched || !writeAtOnce(socket)) plainFlush.call(socket);
  }

  function flushLater(this: EngineSocket): void {
    // Engine.IO asks also whenever a write is done.
    if (this.writeBuffer.length === 0) return;
    if (pending.size === 0) setImmediate(flushAll);
    pending.add(this);
  }

  server.engine.on('connection', (connection: unknown) => {
    const socket = connection as EngineSocket;
    plainFlush ??= socket.flush;
    socket.flush = flushLater;
  });
}
