/**
 * One write per socket and turn of the event loop, instead of one per packet: the five lines
 * anybody could add.
 */
export function corkWrites(io) {
  io.engine.on('connection', (conn) => {
    const flush = conn.flush.bind(conn);
    let isPlanned = false;
    conn.flush = () => {
      if (isPlanned) return;
      isPlanned = true;
      setImmediate(() => {
        isPlanned = false;
        const stream = conn.transport.socket?._socket;
        stream?.cork();
        flush();
        stream?.uncork();
      });
    };
  });
}
