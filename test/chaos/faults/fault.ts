import type { Device } from '../device.js';
import type { Random } from '../random.js';
import type { Scene } from '../scene.js';

/** The objects that faults act on. */
export interface Stage {
  scene: Scene;
  devices: readonly Device[];
  random: Random;
}

/** A fault under way. */
export interface Begun {
  /** For people: which node, which network. */
  target: string;
  /** How many things it touched; 0: it fired at nothing. */
  hit: number;
  /** Resolves when everything is whole again. */
  end?: () => Promise<unknown> | void;
}

export interface Fault {
  name: string;
  /** How long it lasts, from and to. */
  lastsMs: readonly [number, number];
  begin(stage: Stage): Promise<Begun>;
}

/** One of the nodes, by chance, that is up. */
export async function someNode({ scene, random }: Stage): Promise<number> {
  const index = random.between(0, scene.nodes.length - 1);
  await scene.nodes[index]!.untilUp();
  return index;
}
