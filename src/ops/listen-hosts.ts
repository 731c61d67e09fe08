import { once } from 'node:events';
import { createServer } from 'node:net';

const loopback = ['127.0.0.1', '::1'];

/** `HOST` for all addresses of the machine, of both families. */
export const allAddresses = '*';

/**
 * The addresses to listen on for a `HOST`: `*` is all addresses, IPv4 and IPv6, as one listener
 * (`undefined` for Node); `localhost` is each loopback address this machine has; anything else is
 * itself.
 */
export async function listenHosts(host: string): Promise<(string | undefined)[]> {
  if (host === allAddresses) return [undefined];
  if (host.toLowerCase() !== 'localhost') return [host];
  const usable: string[] = [];
  for (const address of loopback) if (await exists(address)) usable.push(address);
  return usable.length > 0 ? usable : loopback;
}

/** An address at which a server on these hosts answers a browser of this machine. */
export function urlOf(hosts: (string | undefined)[], port: number): string {
  const [host] = hosts;
  if (host === undefined || host === '::' || hosts.length > 1) return `http://localhost:${port}`;
  if (host === '0.0.0.0') return `http://127.0.0.1:${port}`;
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
}

async function exists(address: string): Promise<boolean> {
  const server = createServer();
  try {
    await once(server.listen(0, address), 'listening');
  } catch {
    // No IPv6, or no IPv4, on this machine.
    return false;
  }
  server.close();
  await once(server, 'close');
  return true;
}
