import { setTimeout as pause } from 'node:timers/promises';
import { clientFaults } from './faults/client.faults.js';
import { combinedFaults } from './faults/combined.faults.js';
import type { Fault, Stage } from './faults/fault.js';
import { nodeFaults } from './faults/node.faults.js';
import { postgresFaults } from './faults/postgres.faults.js';
import { redisFaults } from './faults/redis.faults.js';
import type { History } from './history.js';
import type { Random } from './random.js';

export interface PlannedFault {
  i: number;
  fault: Fault;
  /** Not before, in ms since the load began. */
  atMs: number;
  lastsMs: number;
}

const firstAtMs = 4_000;
const pausesMs = [1_000, 4_000] as const;
/** How long it takes about until everything is whole again. */
const recoveryMs = 2_000;
/** A fault that would take more of a run than this is left to longer ones. */
const largestShare = 1 / 4;

/**
 * One after another of a kind, each name once before any comes again; those of clients run beside
 * those of servers.
 */
export function planFaults(totalMs: number, random: Random): PlannedFault[][] {
  const tracks = [[...nodeFaults, ...redisFaults, ...postgresFaults, ...combinedFaults], clientFaults];
  let i = 0;
  return tracks.map((faults) => planTrack(faults, totalMs, random).map((planned) => ({ ...planned, i: i++ })));
}

function planTrack(faults: readonly Fault[], totalMs: number, random: Random): Omit<PlannedFault, 'i'>[] {
  const planned: Omit<PlannedFault, 'i'>[] = [];
  let deck: Fault[] = [];
  for (let atMs = firstAtMs; ;) {
    if (deck.length === 0) deck = random.shuffle(faults.filter((one) => one.lastsMs[1] <= totalMs * largestShare));
    const fault = deck.pop()!;
    const lastsMs = random.between(...fault.lastsMs);
    if (atMs + lastsMs > totalMs) return planned;
    planned.push({ fault, atMs, lastsMs });
    atMs += lastsMs + recoveryMs + random.between(...pausesMs);
  }
}

/** Carries a plan out. Resolves when the last fault is over. */
export async function runFaults(tracks: readonly PlannedFault[][], stage: Stage, history: History): Promise<void> {
  for (const { i, fault } of tracks.flat()) history.note({ k: 'fault-planned', i, name: fault.name });
  const beganAt = performance.now();
  const runTrack = async (track: readonly PlannedFault[]): Promise<void> => {
    for (const planned of track) {
      await pause(Math.max(0, planned.atMs - (performance.now() - beganAt)));
      await runFault(planned, stage, history);
    }
  };
  await Promise.all(tracks.map(runTrack));
}

async function runFault({ i, fault, lastsMs }: PlannedFault, stage: Stage, history: History): Promise<void> {
  const { name } = fault;
  try {
    const at = history.now();
    const { target, hit, end } = await fault.begin(stage);
    history.note({ k: 'fault-begin', i, name, target, hit, startedAt: at });
    await pause(lastsMs);
    await end?.();
    history.note({ k: 'fault-end', i, name });
  } catch (error) {
    history.note({ k: 'fault-failed', i, name, reason: String(error) });
  }
}
