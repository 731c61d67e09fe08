import { someNode, type Fault, type Stage } from './fault.js';

async function end(stage: Stage, signal: 'SIGKILL' | 'SIGTERM') {
  const index = await someNode(stage);
  const node = stage.scene.nodes[index]!;
  await node.end(signal);
  return { target: `node ${index}`, hit: 1, end: () => node.untilUp() };
}

async function freeze(stage: Stage) {
  const index = await someNode(stage);
  const node = stage.scene.nodes[index]!;
  node.signal('SIGSTOP');
  return { target: `node ${index}`, hit: 1, end: () => node.signal('SIGCONT') };
}

/** Nodes that die, are ended, freeze, or cannot reach a service the others reach. */
export const nodeFaults: readonly Fault[] = [
  { name: 'node-sigkill', lastsMs: [500, 2_000], begin: (stage) => end(stage, 'SIGKILL') },
  { name: 'node-sigterm', lastsMs: [500, 2_000], begin: (stage) => end(stage, 'SIGTERM') },
  { name: 'node-sigstop', lastsMs: [2_000, 8_000], begin: freeze },
  // Past the presence TTL: its leases end, and then it is there again.
  { name: 'node-sigstop-long', lastsMs: [33_000, 38_000], begin: freeze },
  {
    name: 'rolling-restart',
    lastsMs: [500, 1_000],
    begin: async ({ scene }) => {
      for (const node of scene.nodes) {
        await node.end('SIGTERM');
        await node.untilUp();
      }
      return { target: 'all nodes', hit: scene.nodes.length };
    },
  },
  {
    name: 'node-cut-from-redis',
    lastsMs: [2_000, 6_000],
    begin: async (stage) => {
      const index = await someNode(stage);
      const way = stage.scene.redisWays[index]!;
      await way.close();
      return { target: `node ${index}`, hit: 1, end: () => way.open() };
    },
  },
  {
    name: 'node-frozen-from-redis',
    lastsMs: [2_000, 6_000],
    begin: async (stage) => {
      const index = await someNode(stage);
      const way = stage.scene.redisWays[index]!;
      way.freeze();
      return { target: `node ${index}`, hit: 1, end: () => way.thaw() };
    },
  },
  {
    name: 'node-cut-from-postgres',
    lastsMs: [1_000, 5_000],
    begin: async (stage) => {
      const index = await someNode(stage);
      const way = stage.scene.postgresWays[index]!;
      await way.close();
      return { target: `node ${index}`, hit: 1, end: () => way.open() };
    },
  },
];
