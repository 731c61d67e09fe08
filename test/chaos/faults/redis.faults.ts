import type { Scene } from '../scene.js';
import type { Begun, Fault } from './fault.js';

const target = 'redis';

async function killFor(scene: Scene, empty: boolean): Promise<Begun> {
  await scene.redis.kill();
  return { target, hit: 1, end: () => scene.redis.launch({ empty }) };
}

/** Answers of CLIENT KILL are counts. */
async function killClients(scene: Scene): Promise<number> {
  const counts = [];
  for (const type of ['pubsub', 'normal']) counts.push(await scene.redis.call('CLIENT', 'KILL', 'TYPE', type));
  return counts.map(Number).reduce((sum, count) => sum + count, 0);
}

/** Redis dies, forgets, hangs, refuses. */
export const redisFaults: readonly Fault[] = [
  { name: 'redis-restart', lastsMs: [500, 4_000], begin: ({ scene }) => killFor(scene, false) },
  { name: 'redis-restart-empty', lastsMs: [500, 4_000], begin: ({ scene }) => killFor(scene, true) },
  {
    name: 'redis-flushall',
    lastsMs: [0, 500],
    begin: async ({ scene }) => {
      const keys = Number(await scene.redis.call('DBSIZE'));
      await scene.redis.call('FLUSHALL');
      return { target, hit: keys };
    },
  },
  {
    name: 'redis-script-flush',
    lastsMs: [0, 500],
    begin: async ({ scene }) => {
      await scene.redis.call('SCRIPT', 'FLUSH');
      return { target, hit: 1 };
    },
  },
  {
    name: 'redis-hang',
    lastsMs: [2_000, 6_000],
    begin: async ({ scene }) => {
      scene.redis.signal('SIGSTOP');
      return { target, hit: 1, end: () => scene.redis.signal('SIGCONT') };
    },
  },
  {
    name: 'redis-client-kill',
    lastsMs: [0, 500],
    begin: async ({ scene }) => ({ target, hit: await killClients(scene) }),
  },
  {
    name: 'redis-readonly',
    lastsMs: [2_000, 5_000],
    begin: async ({ scene }) => {
      // A replica of a master that is not there: reads go on, writes are refused.
      await scene.redis.call('REPLICAOF', '127.0.0.1', '1');
      return { target, hit: 1, end: () => scene.redis.call('REPLICAOF', 'NO', 'ONE') };
    },
  },
  {
    name: 'redis-full',
    lastsMs: [2_000, 4_000],
    begin: async ({ scene }) => {
      await scene.redis.call('CONFIG', 'SET', 'maxmemory', '1');
      return { target, hit: 1, end: () => scene.redis.call('CONFIG', 'SET', 'maxmemory', '0') };
    },
  },
];
