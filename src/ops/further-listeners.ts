import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createServer, type Server as Listener } from 'node:net';
import { Logger } from '@nestjs/common';

const reportEveryMs = 60_000;

/**
 * Lets a listening HTTP server answer on further addresses of the same port; they stop with it.
 * From now on an error of accepting a connection (no more files can be opened) is reported, and no
 * longer ends the process.
 *
 * A server has one listener. Each further one hands its connections over by the server's
 * `connection` event, which Node offers for this.
 *
 * @returns the port, also where the system has chosen it
 */
export async function listenOnFurther(server: Server, hosts: (string | undefined)[]): Promise<number> {
  const { port } = server.address() as AddressInfo;
  const listeners: Listener[] = [];
  for (const host of hosts) {
    const listener = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
      server.emit('connection', socket);
    });
    await once(listener.listen(port, host), 'listening');
    listeners.push(listener);
  }
  for (const each of [server, ...listeners]) reportErrors(each);
  if (listeners.length > 0) closeTogether(server, listeners);
  return port;
}

function reportErrors(listener: Listener): void {
  const logger = new Logger('Listener');
  let reportedMs = -Infinity;
  listener.on('error', (error) => {
    if (performance.now() - reportedMs < reportEveryMs) return;
    reportedMs = performance.now();
    logger.error(`A connection could not be accepted: ${error.message}. Open connections go on`);
  });
}

function closeTogether(server: Server, listeners: Listener[]): void {
  const close = server.close.bind(server);
  server.close = (done) => {
    for (const listener of listeners) listener.close();
    return close(done);
  };
}
