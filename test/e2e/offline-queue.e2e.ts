import { setTimeout as pause } from 'node:timers/promises';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { Message } from '../../src/common/index.js';
import { OfflineNotifier, type OfflineNotification } from '../../src/delivery/index.js';
import { BacklogFinder } from '../../src/delivery/backlog.finder.js';
import { PendingRepository } from '../../src/delivery/pending.repository.js';
import { Metrics } from '../../src/metrics/index.js';
import { ConnectionRegistry } from '../../src/realtime/index.js';
import { offlineQueueKey, RedisCommands } from '../../src/redis/index.js';
import type { TestClient } from '../support/client.js';
import { TestCluster } from '../support/cluster.js';
import { directConversation, mutualConversation } from '../support/conversations.js';

const told: OfflineNotification[] = [];
/** Users whose first notification fails. */
const failing = new Set<string>();

class TestNotifier extends OfflineNotifier {
  override async notify(notification: OfflineNotification): Promise<void> {
    told.push(notification);
    if (failing.delete(notification.userId)) throw new Error('the push service is down');
  }
}

let cluster: TestCluster;

beforeAll(async () => {
  cluster = await TestCluster.start({
    nodes: 2,
    settings: { offlineQueueMax: 5 },
    extensions: { offlineNotifier: TestNotifier },
  });
});
afterAll(() => cluster.stop());

let users = 0;

async function scene() {
  users += 1;
  const [alice, bob] = [`alice-${users}`, `bob-${users}`];
  const sender = await cluster.connect(alice, 0);
  const conversationId = await mutualConversation(cluster.url(), alice, bob);
  const send = async (text: string, to = conversationId) => {
    await sender.ask('send-message', { conversationId: to, content: { text } });
  };
  return { alice, bob, sender, conversationId, send };
}

async function reads(source: string): Promise<number> {
  let sum = 0;
  for (const { app } of cluster.nodes) {
    const { text } = await app!.get(Metrics).scrape();
    sum += Number(new RegExp(`parley_offline_queue_reads_total\\{source="${source}"\\} (\\d+)`).exec(text)?.[1] ?? 0);
  }
  return sum;
}

/** Connects, leaves, and waits until the queue is kept. */
async function leave(userId: string): Promise<void> {
  const device = await cluster.connect(userId, 1, { deviceId: 'phone' });
  device.close();
  await expect.poll(() => isWhole(userId)).toBe(true);
}

/** Whether the queue of a user's phone is believed. */
async function isWhole(userId: string): Promise<boolean> {
  const commands = cluster.nodes[0]!.app!.get(RedisCommands);
  return (await commands.call('hexists', offlineQueueKey(userId, 'phone'), 'whole')) === 1;
}

const texts = (client: TestClient) => client.of<Message>('new-message').map(({ content }) => content!['text']);

describe('the offline queue', () => {
  it('serves a device that was away, and one whose queue is gone, above its cap, or foreign, from Postgres', async () => {
    const scenes = await Promise.all(Array.from({ length: 4 }, () => scene()));
    await Promise.all(scenes.map(({ bob }) => leave(bob)));
    const [plain, flushed, crowded, foreign] = scenes as [
      (typeof scenes)[0],
      (typeof scenes)[0],
      (typeof scenes)[0],
      (typeof scenes)[0],
    ];
    for (const { send } of scenes) await send('missed');
    await pause(100);

    const byQueue = await reads('queue');
    const first = await cluster.connect(plain.bob, 0, { deviceId: 'phone' });
    await first.waitForCount('new-message', 1);
    expect(await reads('queue')).toBe(byQueue + 1);

    for (let i = 0; i < 6; i++) {
      const other = await cluster.connect(`other-${i}`, 0);
      const id = await directConversation(cluster.url(), `other-${i}`, crowded.bob);
      await other.ask('send-message', { conversationId: id, content: { text: `crowd ${i}` } });
    }
    // Above its cap it is not believed any more.
    await expect.poll(() => isWhole(crowded.bob)).toBe(false);
    const fallbacks = await reads('not-whole');
    const second = await cluster.connect(crowded.bob, 1, { deviceId: 'phone' });
    await second.waitForCount('new-message', 7);
    expect(await reads('not-whole')).toBe(fallbacks + 1);

    await cluster.nodes[0]!.app!.get(RedisCommands).call('set', offlineQueueKey(foreign.bob, 'phone'), 'garbage');
    const third = await cluster.connect(foreign.bob, 0, { deviceId: 'phone' });
    await third.waitForCount('new-message', 1);
    await cluster.redis!.flushAll();
    const fourth = await cluster.connect(flushed.bob, 0, { deviceId: 'phone' });
    await fourth.waitForCount('new-message', 1);
    for (const device of [third, fourth]) expect(texts(device)).toEqual(['missed']);
    expect(await reads('not-whole')).toBe(fallbacks + 3);
  });

  it('looks through the conversations once for a device that came and went several times', async () => {
    const { bob, send } = await scene();
    const { app } = cluster.nodes[0]!;
    const comeAndGo = async () => {
      const device = await cluster.connect(bob, 0, { deviceId: 'phone' });
      await device.waitFor('session-ready');
      device.close();
      await expect.poll(() => app!.get(ConnectionRegistry).ofUser(bob).size, { interval: 5 }).toBe(0);
    };
    const finds = vi.spyOn(app!.get(BacklogFinder), 'find');
    for (let i = 0; i < 5; i++) await comeAndGo();
    await Promise.all(finds.mock.results.map(({ value }) => value as Promise<unknown>));
    finds.mockRestore();

    const looks = vi.spyOn(app!.get(PendingRepository), 'all');
    await expect.poll(() => isWhole(bob)).toBe(true);
    // The last absence has been seen through: what earlier ones had to do would be done by now.
    expect(looks.mock.calls.flatMap(([devices]) => devices).filter(({ userId }) => userId === bob)).toHaveLength(1);
    looks.mockRestore();

    await send('missed');
    const byQueue = await reads('queue');
    const device = await cluster.connect(bob, 1, { deviceId: 'phone' });
    await device.waitFor('new-message');
    expect(await reads('queue')).toBe(byQueue + 1);
  });

  it('loses nothing while Redis is away', async () => {
    const { bob, send } = await scene();
    await leave(bob);
    await cluster.redis!.stop();
    await send('sent without Redis');
    const device = await cluster.connect(bob, 0, { deviceId: 'phone' });
    await device.waitForCount('new-message', 1, 10_000);
    await cluster.redis!.restart();
    device.close();
  });
});

describe('OfflineNotifier', () => {
  it('is told once a message for users without a device, again when it fails, and never for the sender', async () => {
    const { bob, sender, conversationId, send } = await scene();
    await sender.waitFor('session-ready');
    told.length = 0;
    failing.add(bob);
    await send('wake up');
    const mine = () => told.filter((one) => one.userId === bob);
    while (mine().length < 2) await pause(100);
    expect(mine()[0]).toMatchObject({ conversationId, seq: 1, eventId: `${conversationId}:1:${bob}` });
    expect(new Set(mine().map(({ eventId }) => eventId)).size).toBe(1);

    const device = await cluster.connect(bob, 1, { deviceId: 'phone' });
    await device.waitFor('new-message');
    told.length = 0;
    await send('you are here');
    await device.waitForCount('new-message', 2);
    await pause(500);
    expect(told.filter(({ userId, seq }) => userId === bob && seq > 1)).toEqual([]);
    const database = new pg.Client({ connectionString: cluster.database.url });
    await database.connect();
    await pause(500);
    const { rows } = await database.query('SELECT * FROM notifications_due WHERE user_id = $1', [bob]);
    await database.end();
    expect(rows).toEqual([]);
  });

  it('is told of users whose devices are all in the background, on whatever node, and not while one is looked at', async () => {
    const { bob, sender, send } = await scene();
    const phone = await cluster.connect(bob, 1, { deviceId: 'phone' });
    const laptop = await cluster.connect(bob, 0, { deviceId: 'laptop' });
    for (const device of [phone, laptop]) await device.waitFor('session-ready');
    const mine = () => new Set(told.filter(({ userId }) => userId === bob).map(({ seq }) => seq));
    await send('both are looked at');
    await phone.ask('user-offline');
    await send('the laptop is looked at');
    await laptop.waitForCount('new-message', 2);
    await laptop.ask('user-offline');
    await sender.waitFor('user-offline', ({ userId }) => userId === bob);
    await send('nobody looks');
    await expect.poll(mine).toEqual(new Set([3]));
    await phone.waitForCount('new-message', 3);
    await laptop.ask('user-online');
    await send('he is back');
    await phone.waitForCount('new-message', 4);
    await pause(500);
    expect(mine()).toEqual(new Set([3]));
  });

  it('is told again by nodes that were not there when it failed, after the back-off that was left', async () => {
    const { bob, send } = await scene();
    const database = new pg.Client({ connectionString: cluster.database.url });
    await database.connect();
    const due = async () => {
      const { rows } = await database.query(
        'SELECT attempts, extract(epoch FROM due_at - now())::float8 AS "inSeconds" FROM notifications_due WHERE user_id = $1',
        [bob],
      );
      return rows[0] as { attempts: number; inSeconds: number } | undefined;
    };
    const mine = () => told.filter(({ userId }) => userId === bob);
    failing.add(bob);
    await send('the push service is down');
    while (mine().length < 1) await pause(20);
    for (const node of cluster.nodes.splice(0)) await node.stop();
    const left = await due();
    expect(left).toMatchObject({ attempts: 1 });
    expect(left!.inSeconds).toBeGreaterThan(0);

    failing.add(bob);
    for (let i = 0; i < 2; i++) await cluster.addNode();
    await pause(500);
    // Starting again is no reason to be early.
    expect([mine().length, (await due())!.attempts]).toEqual([1, 1]);
    // What is left of the 5 s is not waited for.
    await database.query('UPDATE notifications_due SET due_at = now() WHERE user_id = $1', [bob]);
    while (mine().length < 2) await pause(20);
    const again = await due();
    expect(again!.attempts).toBe(2);
    expect(again!.inSeconds).toBeGreaterThan(8);
    await database.query('UPDATE notifications_due SET due_at = now() WHERE user_id = $1', [bob]);
    while (await due()) await pause(20);
    await database.end();
    // Thrice, or once more where the nodes that stopped had not written down that it was taken in:
    // at least once.
    expect(mine().length).toBeGreaterThanOrEqual(3);
    expect(new Set(mine().map(({ eventId }) => eventId))).toEqual(new Set([mine()[0]!.eventId]));
  });
});
