import { setTimeout as pause } from 'node:timers/promises';
import type { Begun, Fault, Stage } from './fault.js';

/** All nodes may be on their way up. */
const connectTimeoutMs = 30_000;

/** One of the clients' networks, and how many devices are connected over it: as soon as any is. */
async function someNetwork({ scene, devices, random }: Stage) {
  const at = random.between(0, scene.networks.length - 1);
  const network = scene.networks[at]!;
  const connected = () => devices.filter(({ isOpen, plan }) => isOpen && plan.url === network.url).length;
  const deadline = performance.now() + connectTimeoutMs;
  while (connected() === 0 && performance.now() < deadline) await pause(100);
  const hit = connected();
  return { network, target: `network ${at}`, hit };
}

async function swallow(stage: Stage, ...directions: ('toServer' | 'toClient')[]): Promise<Begun> {
  const { network, target, hit } = await someNetwork(stage);
  network.swallow(...directions);
  // Existing connections stay dead until one side detects it; only new connections work again.
  return { target, hit, end: () => network.swallow() };
}

/** Clients' networks are cut and swallow bytes; apps are closed and opened again. */
export const clientFaults: readonly Fault[] = [
  {
    name: 'client-cut',
    lastsMs: [0, 500],
    begin: async (stage) => {
      const { network, target, hit } = await someNetwork(stage);
      network.cut();
      return { target, hit };
    },
  },
  { name: 'client-black-hole', lastsMs: [2_000, 6_000], begin: (stage) => swallow(stage, 'toServer', 'toClient') },
  { name: 'client-half-open-up', lastsMs: [2_000, 5_000], begin: (stage) => swallow(stage, 'toServer') },
  { name: 'client-half-open-down', lastsMs: [2_000, 5_000], begin: (stage) => swallow(stage, 'toClient') },
  {
    name: 'app-restart',
    lastsMs: [200, 8_000],
    begin: async ({ devices, random }) => {
      const chosen = random.shuffle(devices.filter(({ isAway }) => !isAway)).slice(0, Math.ceil(devices.length / 6));
      for (const device of chosen) device.leave();
      return {
        target: `${chosen.length} devices`,
        hit: chosen.length,
        end: () => chosen.forEach((one) => one.return()),
      };
    },
  },
];
