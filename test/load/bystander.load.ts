import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { settingsTable, type SettingsValues } from '../../src/config/index.js';
import { connect, rest, tokenFor, type TestClient } from '../support/client.js';
import { TestCluster } from '../support/cluster.js';
import { range } from '../support/hearing.js';
import { IdentityProvider } from '../support/identity-provider.js';
import type { Orders } from './attacker.js';
import { figuresOf, print, type Figures } from './figures.js';

const limitMs = 500;
const measuredMs = 10_000;
const sendEveryMs = 50;
const signInEveryMs = 250;
/** Until the attacker's own start costs no more. */
const settleMs = 2_000;
const missedMessages = 400;
const devices = 300;

/** The rates of the contract: they are what bounds an attack. */
const rates = Object.fromEntries(
  (
    [
      'rateMessagesPerSecond',
      'rateMessagesBurst',
      'rateEventsPerSecond',
      'rateEventsBurst',
      'rateRequestsPerSecond',
      'rateRequestsBurst',
      'failedSignInsPerMinute',
      'newConversationsPerDay',
      'revocationBoundMs',
    ] as const
  ).map((name) => [name, settingsTable[name].default]),
) as Partial<SettingsValues>;

let cluster: TestCluster;
let provider: IdentityProvider | null;
let attacker: ChildProcess | null;

beforeEach(() => {
  provider = null;
  attacker = null;
});

afterEach(async () => {
  attacker?.kill('SIGKILL');
  await cluster?.stop();
  provider?.stop();
});

const mint = (userId: string) => provider?.tokenFor(userId) ?? tokenFor(userId);

async function conversationOf(caller: string, kind: string, participantIds: string[]): Promise<string> {
  const token = await mint(caller);
  const { body } = await rest(cluster.url(), caller, 'POST', '/v1/conversations', { kind, participantIds }, { token });
  return body.id as string;
}

/** Calls on schedule, even if earlier calls are not answered yet. @returns milliseconds of each */
async function measure(everyMs: number, call: () => Promise<unknown>): Promise<number[]> {
  const calls: Promise<number>[] = [];
  const startedAt = performance.now();
  for (let at = startedAt; at < startedAt + measuredMs; at += everyMs) {
    await pause(Math.max(0, at - performance.now()));
    calls.push(call().then(() => performance.now() - at));
  }
  return Promise.all(calls);
}

const acksOf = (client: TestClient, conversationId: string) =>
  measure(sendEveryMs, () => client.ask('send-message', { conversationId, content: { text: 'hello' } }));

const signIns = (userId: string) =>
  measure(signInEveryMs, async () => (await connect(cluster.url(), userId, { token: await mint(userId) })).close());

/** Begins an attack, and waits until it makes attempts. @returns how many it has made so far */
async function attack(orders: Omit<Orders, 'url'>): Promise<() => number> {
  let attempts = 0;
  attacker = fork('test/load/attacker.ts', { execArgv: ['--import', './scripts/typescript.mjs'] });
  attacker.on('message', (count: number) => (attempts = count));
  attacker.send({ ...orders, url: cluster.url() } satisfies Orders);
  while (attempts === 0) await once(attacker, 'message');
  return () => attempts;
}

function judge(what: string, figures: Figures): void {
  print(what, figures);
  expect(figures.p99).toBeLessThan(limitMs);
}

const tokensOf = (userIds: string[]) => Promise.all(userIds.map((userId) => tokenFor(userId)));

/** Devices that have missed 400 short messages. */
async function returning(): Promise<string[]> {
  const users = range(1, devices).map((i) => `returns-${i}`);
  const conversationId = await conversationOf('owner', 'group', users);
  const owner = await cluster.connect('owner');
  for (let sent = 0; sent < missedMessages; sent += 20) {
    const batch = range(1, 20).map((i) => ({ conversationId, content: { text: `message ${sent + i}` } }));
    await Promise.all(batch.map((message) => owner.ask('send-message', message)));
    // Within the rate of one user.
    await pause(700);
  }
  return tokensOf(users);
}

/** A user with something to search for. */
async function searcher(): Promise<string[]> {
  const conversationId = await conversationOf('searcher', 'direct', ['searched']);
  const client = await cluster.connect('searcher');
  const send = (i: number) => client.ask('send-message', { conversationId, content: { text: `hello again, ${i}` } });
  for (const i of range(1, 50)) await send(i);
  return tokensOf(['searcher']);
}

const attacks: { name: Orders['attack']; tokens: () => Promise<string[]>; isSignIn?: boolean; isOnce?: boolean }[] = [
  { name: 'unknown keys', tokens: () => tokensOf(['mallory']) },
  { name: 'tiny fragments', tokens: async () => [] },
  { name: 'return at once', tokens: returning, isOnce: true },
  { name: 'parallel searches', tokens: searcher },
  { name: 'a flood of requests', tokens: () => tokensOf(['mallory']) },
  { name: 'a flood of bad sign-ins', tokens: async () => [], isSignIn: true },
];

describe('acks of a bystander', () => {
  it('beside nothing: how quiet the machine is', async () => {
    cluster = await TestCluster.start({ nodes: 1, processes: true, settings: rates });
    const conversationId = await conversationOf('bystander', 'direct', ['friend']);
    const bystander = await cluster.connect('bystander');
    await pause(settleMs);
    judge('beside nothing', figuresOf(await acksOf(bystander, conversationId)));
  });

  it.each(attacks)('beside $name', async ({ name, tokens, isSignIn = false, isOnce = false }) => {
    cluster = await TestCluster.start({ nodes: 1, processes: true, settings: rates });
    const conversationId = await conversationOf('bystander', 'direct', ['friend']);
    const bystander = await cluster.connect('bystander');
    const attempts = await attack({ attack: name, tokens: await tokens() });
    if (!isOnce) await pause(settleMs);
    const figures = figuresOf(await acksOf(bystander, conversationId));
    judge(`beside ${name} (${attempts()} attempts)`, figures);
    if (isSignIn) judge(`sign-ins beside ${name}`, figuresOf(await signIns('newcomer')));
  });

  it('beside a key set that hangs', async () => {
    provider = await IdentityProvider.start();
    const settings = { ...rates, jwtSecret: undefined, jwtJwksUrl: provider.url };
    cluster = await TestCluster.start({ nodes: 1, processes: true, settings });
    const conversationId = await conversationOf('bystander', 'direct', ['friend']);
    const bystander = await cluster.connect('bystander', 0, { token: await mint('bystander') });
    provider.isHanging = true;
    const tokens = await Promise.all(range(1, 50).map((i) => provider!.tokenFor(`late-${i}`, `unknown-${i}`)));
    const attempts = await attack({ attack: 'a key set that hangs', tokens });
    await pause(settleMs);
    const [acks, newcomers] = await Promise.all([acksOf(bystander, conversationId), signIns('newcomer')]);
    expect(provider.unanswered).toBeGreaterThan(0);
    judge(`beside a key set that hangs (${attempts()} attempts)`, figuresOf(acks));
    judge('sign-ins beside a key set that hangs', figuresOf(newcomers));
  });
});
