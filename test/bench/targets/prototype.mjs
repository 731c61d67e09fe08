/** The least that is durable: `prototype.mjs`. */
import { fileURLToPath } from 'node:url';
import { freePort } from '../../../dist/embedded/index.js';
import { startNode, stopNode } from '../harness/processes.mjs';
import { namedRooms, oneTable } from './rooms.mjs';

const server = fileURLToPath(new URL('../prototype.mjs', import.meta.url));

/** One process; like a relay it has rooms only. */
export async function startPrototype(services, name) {
  const databaseUrl = await services.createDatabase(name);
  const port = await freePort();
  const child = await startNode([server, '--port', String(port), '--database', databaseUrl], { PATH: '' }, 'ready');
  return {
    name,
    urls: [`http://127.0.0.1:${port}`],
    pids: [child.pid],
    ...namedRooms,
    ...oneTable(databaseUrl),
    authOf: (userId, rooms = []) => ({ userId, rooms }),
    stop: () => stopNode(child),
  };
}
