import { setTimeout as pause } from 'node:timers/promises';
import { someNode, type Fault, type Stage } from './fault.js';

/** Events of this duration are committed and never published. */
const unannouncedMs = 1_000;

/** Postgres restarts while Redis is away. */
async function restartWithoutRedis({ scene }: Stage) {
  await scene.redis.kill();
  await scene.postgres.restart('SIGINT');
  return { target: 'postgres and redis', hit: 2, end: () => scene.redis.launch() };
}

async function hangBoth({ scene }: Stage) {
  scene.redis.signal('SIGSTOP');
  const goOn = await scene.postgres.hang();
  const end = () => {
    goOn();
    scene.redis.signal('SIGCONT');
  };
  return { target: 'postgres and redis', hit: 2, end };
}

/** A node commits what it cannot announce, and dies: another announces it. */
async function dieUnannounced(stage: Stage) {
  const index = await someNode(stage);
  const [node, way] = [stage.scene.nodes[index]!, stage.scene.redisWays[index]!];
  way.freeze();
  await pause(unannouncedMs);
  await node.end('SIGKILL');
  way.thaw();
  return { target: `node ${index}`, hit: 1, end: () => node.untilUp() };
}

/** A node commits what it cannot announce, and stands still until others have done it. */
async function freezeUnannounced(stage: Stage) {
  const index = await someNode(stage);
  const [node, way] = [stage.scene.nodes[index]!, stage.scene.redisWays[index]!];
  way.freeze();
  await pause(unannouncedMs);
  node.signal('SIGSTOP');
  const end = () => {
    way.thaw();
    node.signal('SIGCONT');
  };
  return { target: `node ${index}`, hit: 1, end };
}

/** A node gets SIGTERM while Redis is unavailable, so it cannot leave in order. */
async function drainWithoutRedis(stage: Stage) {
  const index = await someNode(stage);
  const node = stage.scene.nodes[index]!;
  await stage.scene.redis.kill();
  await node.end('SIGTERM');
  const end = async () => {
    await stage.scene.redis.launch();
    await node.untilUp();
  };
  return { target: `node ${index}`, hit: 1, end };
}

/** All nodes die at once: what they had committed is announced by whoever is back first. */
async function killAll({ scene }: Stage) {
  await Promise.all(scene.nodes.map((node) => node.end('SIGKILL')));
  const end = async () => void (await Promise.all(scene.nodes.map((node) => node.untilUp())));
  return { target: 'all nodes', hit: scene.nodes.length, end };
}

/** Redis is emptied while devices are away, so that their queues are gone when they come back. */
async function flushWhileAway({ scene, devices, random }: Stage) {
  const away = random.shuffle(devices.filter(({ isAway }) => !isAway)).slice(0, Math.ceil(devices.length / 3));
  for (const device of away) device.leave();
  await pause(random.between(1_000, 4_000));
  await scene.redis.call('FLUSHALL');
  return { target: `${away.length} devices`, hit: away.length, end: () => away.forEach((one) => one.return()) };
}

/** All devices lose their connection at once, and Redis loses their data. */
async function stampede({ scene, devices }: Stage) {
  const hit = devices.filter(({ isOpen }) => isOpen).length;
  for (const network of scene.networks) network.cut();
  await scene.redis.call('FLUSHALL');
  return { target: 'all networks', hit };
}

/** Two bad things at once. */
export const combinedFaults: readonly Fault[] = [
  { name: 'postgres-restart-without-redis', lastsMs: [0, 2_000], begin: restartWithoutRedis },
  { name: 'postgres-and-redis-hang', lastsMs: [2_000, 5_000], begin: hangBoth },
  { name: 'node-sigkill-unannounced', lastsMs: [0, 1_000], begin: dieUnannounced },
  { name: 'node-sigstop-unannounced', lastsMs: [4_000, 7_000], begin: freezeUnannounced },
  { name: 'node-sigterm-without-redis', lastsMs: [0, 1_000], begin: drainWithoutRedis },
  { name: 'all-nodes-sigkill', lastsMs: [0, 500], begin: killAll },
  { name: 'redis-flushall-while-away', lastsMs: [500, 4_000], begin: flushWhileAway },
  { name: 'stampede-on-empty-redis', lastsMs: [0, 500], begin: stampede },
];
