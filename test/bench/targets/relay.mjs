/**
 * The bare Socket.IO relay of `relay.mjs`, plain, corked, or with the Redis adapter on one or more
 * processes.
 */
import { fileURLToPath } from 'node:url';
import { freePort } from '../../../dist/embedded/index.js';
import { startNode, stopNode } from '../harness/processes.mjs';
import { namedRooms } from './rooms.mjs';

const server = fileURLToPath(new URL('../relay.mjs', import.meta.url));

/** A relay has rooms only: that of each user, and those a user names at the handshake. */
export async function startRelay(services, name, { nodes = 1, hasRedis = false, isCorked = false } = {}) {
  const flags = [...(isCorked ? ['--corked'] : []), ...(hasRedis ? ['--redis', services.redisUrl] : [])];
  const children = [];
  const urls = [];
  for (let i = 0; i < nodes; i++) {
    const port = await freePort();
    children.push(await startNode([server, '--port', String(port), ...flags], { PATH: '' }, 'ready'));
    urls.push(`http://127.0.0.1:${port}`);
  }
  return {
    name,
    urls,
    pids: children.map((child) => child.pid),
    isDurable: false,
    ...namedRooms,
    authOf: (userId, rooms = []) => ({ userId, rooms }),
    stored: async () => null,
    stop: () => Promise.all(children.map(stopNode)),
  };
}
