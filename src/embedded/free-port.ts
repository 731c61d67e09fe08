import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';

// Below 32768, where Linux starts to take ports for outgoing connections: a client that retries
// there can end up connected to itself and keep the port from the server.
const firstPort = 20_000;
const lastPort = 32_700;

function canListen(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(false));
    probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)));
  });
}

/**
 * A port of 127.0.0.1, below 32768, nobody listens on. Nothing reserves it: start the service soon.
 */
export async function freePort(): Promise<number> {
  for (let tries = 0; tries < 100; tries += 1) {
    const port = randomInt(firstPort, lastPort);
    if (await canListen(port)) return port;
  }
  throw new Error(`no free port between ${firstPort} and ${lastPort}`);
}
