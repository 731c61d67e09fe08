import { once } from 'node:events';
import { createServer } from 'node:net';
import { SettingsError, type Settings } from '../config/index.js';
import { listenHosts } from './listen-hosts.js';

/**
 * Whether the server will be able to listen, asked before anything else is started: a second `npm
 * start` ends at once and with one line.
 *
 * @throws SettingsError naming PORT, OPS_PORT, HOST or OPS_HOST
 */
export async function assertPortsFree({ host, port, opsHost, opsPort }: Settings): Promise<void> {
  for (const address of await listenHosts(host)) await assertFree({ port: 'PORT', host: 'HOST' }, address, port);
  if (opsPort === 0) return;
  const names = { port: 'OPS_PORT', host: 'OPS_HOST' };
  for (const address of await listenHosts(opsHost)) await assertFree(names, address, opsPort);
}

interface Names {
  port: string;
  host: string;
}

async function assertFree(names: Names, host: string | undefined, port: number): Promise<void> {
  const server = createServer();
  try {
    await once(server.listen(port, host), 'listening');
  } catch (error) {
    throw new SettingsError([reasonOf(error as NodeJS.ErrnoException, names, host, port)]);
  }
  server.close();
  await once(server, 'close');
}

function reasonOf(
  { code, message }: NodeJS.ErrnoException,
  names: Names,
  host: string | undefined,
  port: number,
): string {
  if (code === 'EADDRINUSE') return `${names.port}: ${port} is in use by another process`;
  if (code === 'EACCES') return `${names.port}: this user may not listen on ${port}`;
  return `${names.host}: cannot listen on ${host ?? 'all addresses'}: ${message}`;
}
