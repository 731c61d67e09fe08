/** The cast of a run: users, their conversations and their devices. */
import { tokenFor } from '../support/client.js';
import { mutualConversation, groupConversation } from '../support/conversations.js';
import { Device, type DeviceMode } from './device.js';
import type { History } from './history.js';
import type { Random } from './random.js';
import type { Scene } from './scene.js';

const userCount = 20;
const groupCount = 4;
const groupSize = 7;
const tokenSeconds = 6 * 3_600;
const modes: readonly DeviceMode[] = ['sync', 'auto', 'sync', 'manual'];

export interface Cast {
  devices: Device[];
  /** Participants by conversation. */
  conversations: Map<string, string[]>;
}

/**
 * Makes everything there is to talk about, and a device for each user, for every second one two.
 */
export async function assemble(scene: Scene, history: History, random: Random): Promise<Cast> {
  const users = Array.from({ length: userCount }, (_, i) => `user-${i}`);
  const conversations = await converse(scene.nodes[0]!.url, users, random);
  for (const [c, members] of conversations) history.note({ k: 'conversation', c, users: members });
  const devices: Device[] = [];
  for (const [i, user] of users.entries()) {
    const count = 1 + (i % 2);
    for (let j = 0; j < count; j++)
      devices.push(await deviceOf(user, devices.length, { scene, history, random, conversations }));
  }
  return { devices, conversations };
}

/** Another installation of a user, which knows nothing yet. */
export async function freshDevice(
  user: string,
  at: number,
  cast: Cast,
  scene: Scene,
  history: History,
  random: Random,
): Promise<Device> {
  return deviceOf(user, at, { scene, history, random, conversations: cast.conversations }, 'sync');
}

/** All users talk to their two next neighbours, and some talk in groups. */
async function converse(url: string, users: string[], random: Random): Promise<Map<string, string[]>> {
  const conversations = new Map<string, string[]>();
  for (const [i, user] of users.entries()) {
    for (const step of [1, 2]) {
      const other = users[(i + step) % users.length]!;
      conversations.set(await mutualConversation(url, user, other), [user, other]);
    }
  }
  for (let i = 0; i < groupCount; i++) {
    const [owner, ...others] = random.shuffle(users).slice(0, groupSize) as [string, ...string[]];
    conversations.set(await groupConversation(url, owner, others), [owner, ...others]);
  }
  return conversations;
}

interface Surroundings {
  scene: Scene;
  history: History;
  random: Random;
  conversations: Map<string, string[]>;
}

async function deviceOf(
  user: string,
  at: number,
  around: Surroundings,
  mode = modes[at % modes.length]!,
): Promise<Device> {
  const { scene, history, random, conversations } = around;
  const own = [...conversations].filter(([, members]) => members.includes(user));
  const others = own.flatMap(([, members]) => (members.length === 2 ? members : []));
  const d = `d${at}`;
  const plan = {
    d,
    user,
    mode,
    url: scene.networks[at % scene.networks.length]!.url,
    token: await tokenFor(user, { expiresInSeconds: tokenSeconds }),
    conversations: own.map(([c]) => c),
    contacts: [...new Set(others)].filter((other) => other !== user),
  };
  return new Device(plan, history, random.fork(d));
}
