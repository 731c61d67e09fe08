/** Presence and typing while nodes die or freeze, and while Redis is emptied, restarted or hung. */
import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Presence } from '../../src/common/index.js';
import type { TestClient } from '../support/client.js';
import { TestCluster } from '../support/cluster.js';
import { directConversation } from '../support/conversations.js';
import { atMost } from '../setup/patience.js';

const graceMs = 250;
const ttlMs = 4_000;
const settings = { presenceGraceMs: graceMs, presenceTtlMs: ttlMs, typingTtlMs: 1_500, redisTimeoutMs: 300 };

const someone = (name: string): string => `${name}-${randomUUID().slice(0, 8)}`;
const statusesOf = (client: TestClient, userId: string): string[] =>
  client.heard
    .filter(({ event, payload }) => event.startsWith('user-o') && (payload as Presence).userId === userId)
    .map(({ payload }) => (payload as Presence).status);
const statusOf = async (client: TestClient, userId: string): Promise<string> =>
  (await client.ask<{ presences: Presence[] }>('get-presence', [userId])).presences[0]!.status;

/** Asks until the answer is this one. */
async function becomes(client: TestClient, userId: string, status: string, withinMs: number): Promise<void> {
  const deadline = Date.now() + withinMs;
  while ((await statusOf(client, userId)) !== status) {
    if (Date.now() > deadline) throw new Error(`${userId} is not ${status} after ${withinMs} ms`);
    await pause(50);
  }
}

interface Scene {
  alice: string;
  atAlice: TestClient;
  atBob: TestClient;
  conversationId: string;
}

/** Two contacts, alice on the node named and bob on node 0, who knows that she is there. */
async function scene(cluster: TestCluster, aliceNode: number): Promise<Scene> {
  const [alice, bob] = [someone('alice'), someone('bob')];
  const conversationId = await directConversation(cluster.url(0), alice, bob);
  const atBob = await cluster.connect(bob, 0);
  const atAlice = await cluster.connect(alice, aliceNode);
  await atBob.waitFor('user-online');
  await atBob.ask('join-conversation', conversationId);
  return { alice, atAlice, atBob, conversationId };
}

describe('a node that', () => {
  let cluster: TestCluster;
  beforeAll(async () => {
    cluster = await TestCluster.start({ nodes: 3, processes: true, settings });
  });
  afterAll(() => cluster?.stop());

  it('freezes: its users go offline, and come back with it, once each', async () => {
    const { alice, atBob } = await scene(cluster, 1);
    const gone = await scene(cluster, 1);
    cluster.nodes[1]!.process!.kill('SIGSTOP');
    await atBob.waitFor('user-offline', undefined, ttlMs + 2_000);
    await gone.atBob.waitFor('user-offline', undefined, ttlMs + 2_000);
    gone.atAlice.close();
    await pause(100);
    cluster.nodes[1]!.process!.kill('SIGCONT');
    await becomes(atBob, alice, 'online', 3_000);
    await pause(ttlMs);
    expect(statusesOf(atBob, alice)).toEqual(['online', 'offline', 'online']);
    // Who closed his socket meanwhile is not made online by a node that has not noticed yet.
    expect(statusesOf(gone.atBob, gone.alice)).toEqual(['online', 'offline']);
  });

  it('dies: its users go offline and stop typing, once each; who has moved stays online', async () => {
    const { alice, atAlice, atBob, conversationId } = await scene(cluster, 2);
    const moved = await scene(cluster, 2);
    await atAlice.ask('typing-start', conversationId);
    await atBob.waitFor('user-typing');
    cluster.nodes[2]!.process!.kill('SIGKILL');
    await cluster.connect(moved.alice, 1);
    await atBob.waitFor('user-typing', ({ isTyping }) => !isTyping, settings.typingTtlMs + 2_000);
    const { lastSeenAt } = await atBob.waitFor<Presence>('user-offline', undefined, ttlMs + 2_000);
    expect(Date.now() - Date.parse(lastSeenAt!)).toBeLessThan(atMost(2 * ttlMs + 2_000));
    await pause(ttlMs);
    expect(statusesOf(atBob, alice)).toEqual(['online', 'offline']);
    expect(statusesOf(moved.atBob, moved.alice)).toEqual(['online']);
    expect(atBob.of('user-typing')).toHaveLength(2);
  });

  it('dies while Redis is emptied: its users go offline, once; nobody else does', async () => {
    const node = await cluster.addNode();
    const { alice, atBob } = await scene(cluster, cluster.nodes.indexOf(node));
    const other = await scene(cluster, 0);
    // Who came later than alice knows of her by asking only.
    const late = await cluster.addNode();
    const viewer = await cluster.connect(atBob.userId, cluster.nodes.indexOf(late), { deviceId: 'late' });
    expect(await statusOf(viewer, alice)).toBe('online');
    node.process!.kill('SIGKILL');
    await cluster.redis!.flushAll();
    await becomes(other.atBob, other.alice, 'online', 4_000);
    for (const client of [atBob, viewer]) {
      const { lastSeenAt } = await client.waitFor<Presence>('user-offline', ({ userId }) => userId === alice, 6_000);
      expect(Math.abs(Date.now() - Date.parse(lastSeenAt!))).toBeLessThan(atMost(8_000));
    }
    await pause(ttlMs);
    expect(statusesOf(atBob, alice)).toEqual(['online', 'offline']);
    expect(statusesOf(viewer, alice)).toEqual(['offline']);
    expect(statusesOf(other.atBob, other.alice)).toEqual(['online']);
    expect(await statusOf(atBob, alice)).toBe('offline');
  });

  it('is shut down in good order: its users go offline after the grace period', async () => {
    const node = await cluster.addNode();
    const { alice, atBob } = await scene(cluster, cluster.nodes.indexOf(node));
    node.process!.kill('SIGTERM');
    await atBob.waitFor('user-offline', undefined, 3_000);
    expect(statusesOf(atBob, alice)).toEqual(['online', 'offline']);
  });
});

describe('a Redis that', () => {
  let cluster: TestCluster;
  beforeAll(async () => {
    cluster = await TestCluster.start({ nodes: 2, settings });
  });
  afterAll(() => cluster?.stop());

  it('is emptied makes nobody offline, and knows everybody again soon', async () => {
    const { alice, atAlice, atBob } = await scene(cluster, 1);
    await pause(600);
    await cluster.redis!.flushAll();
    await becomes(atBob, alice, 'online', 4_000);
    await pause(ttlMs);
    expect(statusesOf(atBob, alice)).toEqual(['online']);
    atAlice.close();
    await atBob.waitFor('user-offline');
    expect(statusesOf(atBob, alice)).toEqual(['online', 'offline']);
  });

  it('is emptied while a user is in his grace period still makes him offline, once', async () => {
    const { alice, atAlice, atBob } = await scene(cluster, 1);
    await pause(600);
    atAlice.close();
    await pause(graceMs - 50);
    await cluster.redis!.flushAll();
    await atBob.waitFor('user-offline', ({ userId }) => userId === alice, 4_000);
    await pause(ttlMs);
    expect(statusesOf(atBob, alice)).toEqual(['online', 'offline']);
  });

  it('is restarted empty makes nobody offline, and is answered for with unknown meanwhile', async () => {
    const { alice, atAlice, atBob, conversationId } = await scene(cluster, 1);
    await cluster.redis!.stop();
    await becomes(atBob, alice, 'unknown', 2_000);
    const { presences } = await atBob.ask('get-presence', [alice, 'nobody']);
    expect(presences).toEqual([
      { userId: alice, status: 'unknown', lastSeenAt: null },
      { userId: 'nobody', status: 'offline', lastSeenAt: null },
    ]);
    expect(await atAlice.ask('user-online', { status: 'away' })).toMatchObject({ status: 'unknown' });
    expect(await atAlice.refused('typing-start', conversationId)).toMatchObject({
      code: 'UNAVAILABLE',
      retryable: true,
    });
    expect((await atBob.ask('join-conversation', conversationId)).typing).toEqual([]);
    expect((await atAlice.ask('send-message', { conversationId, content: { text: 'hello' } })).duplicate).toBe(false);
    await cluster.redis!.restart();
    await becomes(atBob, alice, 'away', 6_000);
    await pause(ttlMs);
    expect(statusesOf(atBob, alice)).not.toContain('offline');
  });

  it('hangs for longer than the TTL makes nobody offline who is still there', async () => {
    const { alice, atAlice, atBob } = await scene(cluster, 1);
    await cluster.redis!.kill('SIGSTOP');
    await pause(ttlMs + 1_500);
    await cluster.redis!.kill('SIGCONT');
    await becomes(atBob, alice, 'online', 6_000);
    await pause(ttlMs);
    expect(statusesOf(atBob, alice)).toEqual(['online']);
    atAlice.close();
    await atBob.waitFor('user-offline');
  });
});

it('remembers when a user was last seen over a restart of everything', async () => {
  const cluster = await TestCluster.start({ nodes: 1, settings });
  try {
    const { alice, atAlice } = await scene(cluster, 0);
    await cluster.nodes[0]!.stop();
    atAlice.close();
    await cluster.redis!.restart();
    cluster.nodes.splice(0, 1);
    await cluster.addNode();
    const again = await cluster.connect(someone('viewer'));
    const sights = await again.ask('get-presence', [alice]);
    expect(sights.presences).toEqual([{ userId: alice, status: 'offline', lastSeenAt: null }]);
    await directConversation(cluster.url(), alice, again.userId);
    const [presence] = (await again.ask<{ presences: Presence[] }>('get-presence', [alice])).presences;
    expect(Date.now() - Date.parse(presence!.lastSeenAt!)).toBeLessThan(atMost(20_000));
  } finally {
    await cluster.stop();
  }
});
