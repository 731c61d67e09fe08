import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { assemble, freshDevice, type Cast } from './cast.js';
import type { Device } from './device.js';
import { groupBy } from './group-by.js';
import { History, type Entry, type StoredMessage } from './history.js';
import { Load } from './load.js';
import { graceMs, presenceBoundMs, slackMs } from './presence-bounds.js';
import { Random } from './random.js';
import { Scene } from './scene.js';
import { planFaults, runFaults } from './schedule.js';
import { readMessages, readStored } from './stored.js';
import { differences } from './view.js';

export interface CampaignPlan {
  seed: number;
  /** Duration of load and faults, without starting and settling. */
  minutes: number;
  sendsPerSecond: number;
  presenceTtlMs: number;
  /** Settings of the nodes that differ from the defaults, as environment variables. */
  settings: Record<string, string>;
  /** For data, logs and the history. */
  dir: string;
  /** The compiled product. */
  dist: string;
}

const openTimeoutMs = 60_000;
const emptyTimeoutMs = 60_000;
const catchUpTimeoutMs = 60_000;
const catchUpStepMs = 2_000;
const leaverCount = 2;
const fresh = 3;

/** Runs load and faults, lets everything settle, and returns the history. */
export async function runCampaign(plan: CampaignPlan): Promise<Entry[]> {
  await mkdir(plan.dir, { recursive: true });
  const history = new History(join(plan.dir, 'history.jsonl'));
  const { seed, minutes, sendsPerSecond, presenceTtlMs } = plan;
  history.note({ k: 'run', seed, minutes, sendsPerSecond, presenceTtlMs });
  const random = new Random(seed);
  const settings = { ...plan.settings, PRESENCE_TTL_MS: String(presenceTtlMs) };
  const scene = await Scene.start(plan.dir, plan.dist, history, settings);
  try {
    const cast = await assemble(scene, history, random.fork('cast'));
    await hurt(plan, scene, cast, history, random);
    await settle(plan, scene, cast, history, random.fork('end'));
    for (const device of cast.devices) device.stop();
    for (const fact of await readStored(scene.postgres)) history.note(fact);
  } finally {
    await scene.stop();
    await history.close();
  }
  return history.entries;
}

async function hurt(plan: CampaignPlan, scene: Scene, cast: Cast, history: History, random: Random): Promise<void> {
  const { devices } = cast;
  for (const device of devices) device.start();
  await until(() => devices.every(({ isOpen }) => isOpen), openTimeoutMs);
  const load = new Load(devices, plan.sendsPerSecond, random.fork('load'));
  load.start();
  const totalMs = plan.minutes * 60_000;
  const tracks = planFaults(totalMs, random.fork('faults'));
  const stage = { scene, devices, random: random.fork('targets') };
  await Promise.all([runFaults(tracks, stage, history), pause(totalMs)]);
  load.stop();
}

/** Everything is whole: everybody sends what is left, catches up, and knows who is there. */
async function settle(plan: CampaignPlan, scene: Scene, cast: Cast, history: History, random: Random): Promise<void> {
  const { devices } = cast;
  await until(() => devices.every(({ outbox }) => outbox.size === 0), emptyTimeoutMs);
  history.note({ k: 'quiet', unsent: devices.reduce((sum, { outbox }) => sum + outbox.size, 0) });
  const quietAt = performance.now();
  const users = random.shuffle([...new Set(devices.map((device) => device.plan.user))]);
  await addFresh(cast, scene, history, users.slice(2 * leaverCount), random);
  leave(cast, users.slice(0, leaverCount));
  await until(() => haveCaughtUp(scene, cast), catchUpTimeoutMs, catchUpStepMs);
  history.note({ k: 'settled', waitedMs: Math.round(performance.now() - quietAt) });
  await pause(Math.max(0, presenceBoundMs(plan.presenceTtlMs) - (performance.now() - quietAt)));
  await lookAround(cast);
  leave(cast, users.slice(leaverCount, 2 * leaverCount));
  await pause(graceMs + slackMs + 500);
  await lookAround(cast);
}

/** Users with a new installation, which has nothing and must receive everything. */
async function addFresh(cast: Cast, scene: Scene, history: History, users: string[], random: Random): Promise<void> {
  for (const user of users.slice(0, fresh)) {
    const device = await freshDevice(user, cast.devices.length, cast, scene, history, random);
    cast.devices.push(device);
    device.start();
  }
}

function leave({ devices }: Cast, users: readonly string[]): void {
  for (const device of devices) if (users.includes(device.plan.user)) device.leave();
}

async function lookAround({ devices }: Cast): Promise<void> {
  await Promise.all(devices.filter(({ isOpen }) => isOpen).map((device) => device.lookAround(Infinity)));
}

async function haveCaughtUp(scene: Scene, { devices }: Cast): Promise<boolean> {
  const stored = groupBy(await readMessages(scene.postgres), ({ c }) => c);
  return devices.filter(({ isAway }) => !isAway).every((device) => isCurrent(device, stored));
}

function isCurrent({ views }: Device, stored: Map<string, StoredMessage[]>): boolean {
  return [...views].every(([c, view]) => differences(view, stored.get(c) ?? []).length === 0);
}

/** Resolves when it is so, or after the time-out: the checker says what is wrong then. */
async function until(isSo: () => boolean | Promise<boolean>, timeoutMs: number, stepMs = 100): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while (performance.now() < deadline && !(await isSo())) await pause(stepMs);
}
