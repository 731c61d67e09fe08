import { once } from 'node:events';
import { createServer } from 'node:net';
import { SettingsError, type Settings } from '../config/index.js';
import { listenHosts } from './listen-hosts.js';

/**
 * Whether the server will be able to listen, asked before anything else is started: a second `npm
 * start` ends at once and with one line.
 *
 * @throws SettingsError naming PORT, OPS_PORT or HOST
 */
export async function assertPortsFree({ host, port, opsPort }: Settings): Promise<void> {
  for (const address of await listenHosts(host)) {
    await assertFree('PORT', address, port);
    if (opsPort !== 0) await assertFree('OPS_PORT', address, opsPort);
  }
}

async function assertFree(setting: string, host: string | undefined, port: number): Promise<void> {
  const server = createServer();
  try {
    await once(server.listen(port, host), 'listening');
  } catch (error) {
    throw new SettingsError([reasonOf(error as NodeJS.ErrnoException, setting, host, port)]);
  }
  server.close();
  await once(server, 'close');
}

function reasonOf(
  { code, message }: NodeJS.ErrnoException,
  setting: string,
  host: string | undefined,
  port: number,
): string {
  if (code === 'EADDRINUSE') return `${setting}: ${port} is in use by another process`;
  if (code === 'EACCES') return `${setting}: this user may not listen on ${port}`;
  return `HOST: cannot listen on ${host ?? 'all addresses'}: ${message}`;
}
