/** The least that is durable: `prototype.mjs`. */
import { fileURLToPath } from 'node:url';
import { freePort } from '../../../dist/embedded/index.js';
import { startNode, stopNode } from '../harness/processes.mjs';
import { query } from '../harness/services.mjs';

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
    isDurable: true,
    databaseUrl,
    orderKey: '"id":',
    authOf: (userId, rooms = []) => ({ userId, rooms }),
    direct: async (a, b) => `direct:${a}:${b}`,
    group: async (userIds) => `group:${userIds.length}`,
    stored: async () => ({ rows: (await query(databaseUrl, 'SELECT count(*)::int AS n FROM message'))[0].n, gaps: 0 }),
    stop: () => stopNode(child),
  };
}
