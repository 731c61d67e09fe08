/**
 * The chat server of the tutorials: Nest gateway, TypeORM `save` per message, a guard that verifies
 * per event.
 */
import { fileURLToPath } from 'node:url';
import { freePort } from '../../../dist/embedded/index.js';
import { startNode, stopNode } from '../harness/processes.mjs';
import { secret, tokenFor } from '../harness/tokens.mjs';
import { namedRooms, oneTable } from './rooms.mjs';

const loader = new URL('../../../scripts/typescript.mjs', import.meta.url).href;
const main = fileURLToPath(new URL('../tutorial/main.ts', import.meta.url));

/** One process; it stores what it relays, one transaction a message. */
export async function startTutorial(services, name) {
  const databaseUrl = await services.createDatabase(name);
  const port = await freePort();
  const env = { PATH: '', NODE_ENV: 'production', PORT: String(port), DATABASE_URL: databaseUrl, JWT_SECRET: secret };
  const child = await startNode(['--import', loader, main], env, 'ready');
  return {
    name,
    urls: [`http://127.0.0.1:${port}`],
    pids: [child.pid],
    ...namedRooms,
    ...oneTable(databaseUrl),
    authOf: (userId) => ({ token: tokenFor(userId) }),
    mustJoin: true,
    stop: () => stopNode(child),
  };
}
