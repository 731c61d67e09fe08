import { setTimeout as pause } from 'node:timers/promises';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Message } from '../../src/common/index.js';
import { narrowMarks, overlooked } from '../support/activity-marks.js';
import { connect, type TestClient } from '../support/client.js';
import { TestCluster } from '../support/cluster.js';
import { groupConversation } from '../support/conversations.js';
import { chances, modelSeed } from '../support/model-seed.js';

/**
 * Random connects, goodbyes, cuts, sends, edits, deletions for everyone and for one, reactions and
 * FLUSHALLs on several devices; at the end every device, dropping repeats by (id, rev), shows
 * exactly what Postgres holds for its user. Marks wear out all the time, and at none a device lacks
 * what it would not be looked at for. `MODEL_SEED` repeats a run.
 */
const steps = Number(process.env['MODEL_STEPS'] ?? 400);

interface Shown {
  rev: number;
  text: string | null;
  likes: string[];
}

/** A client that keeps what it was told, over its connections. */
class Device {
  client: TestClient | null = null;
  readonly shown = new Map<string, Shown>();
  /** Deleted for this user only. */
  readonly hidden = new Set<string>();

  constructor(
    readonly userId: string,
    readonly deviceId: string,
  ) {}

  async open(url: string): Promise<void> {
    this.client = await connect(url, this.userId, { deviceId: this.deviceId });
    const { socket, heard } = this.client;
    for (const { event, payload } of heard) this.hear(event, payload);
    socket.onAny((event: string, payload: any) => this.hear(event, payload));
  }

  hear(event: string, payload: any): void {
    if (event === 'new-message' || event === 'message-edited') this.show(payload as Message);
    if (event === 'message-deleted' && payload.scope === 'me') this.hidden.add(payload.messageId as string);
    else if (event === 'message-deleted') this.put(payload.messageId, { rev: payload.rev, text: null, likes: [] });
    if (event === 'reaction-changed') this.react(payload);
  }

  show({ id, rev, content, reactions }: Message): void {
    const likes = [...(reactions['👍']?.userIds ?? [])].sort();
    this.put(id, { rev, text: (content?.['text'] as string | undefined) ?? null, likes });
  }

  private react({ messageId, rev, userId, added }: any): void {
    const known = this.shown.get(messageId as string);
    if (!known || rev <= known.rev) return;
    const others = known.likes.filter((one) => one !== userId);
    this.put(messageId, { ...known, rev, likes: (added ? [...others, userId] : others).sort() });
  }

  private put(id: string, next: Shown): void {
    if (next.rev > (this.shown.get(id)?.rev ?? 0)) this.shown.set(id, next);
  }
}

let cluster: TestCluster;
let database: pg.Client;

beforeAll(async () => {
  cluster = await TestCluster.start({ nodes: 2 });
  database = new pg.Client({ connectionString: cluster.database.url });
  await database.connect();
  await narrowMarks(database);
});
afterAll(async () => {
  await database.end();
  await cluster.stop();
});

async function truthFor(userId: string): Promise<[string, Omit<Shown, 'rev'>][]> {
  const { rows } = await database.query(
    `SELECT id, content ->> 'text' AS text, reactions -> '👍' -> 'userIds' AS likes FROM messages
     WHERE id NOT IN (SELECT message_id FROM hidden_messages WHERE user_id = $1) ORDER BY id`,
    [userId],
  );
  return rows.map(({ id, text, likes }) => [id, { text, likes: [...(likes ?? [])].sort() }]);
}

const shownBy = (device: Device) =>
  [...device.shown]
    .filter(([id]) => !device.hidden.has(id))
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([id, { text, likes }]) => [id, { text, likes }]);

describe('delivery, by a model', () => {
  it(`ends with every device showing what Postgres holds (MODEL_SEED=${modelSeed})`, async () => {
    const random = chances();
    const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)]!;
    const devices = ['ann', 'ben', 'cat'].flatMap((user) => ['phone', 'tablet'].map((id) => new Device(user, id)));
    const conversations = [
      await groupConversation(cluster.url(), 'ann', ['ben', 'cat']),
      await groupConversation(cluster.url(1), 'ben', ['ann', 'cat']),
    ];
    // All are known before the first message: a device new later starts where its user has come.
    for (const device of devices) await device.open(cluster.url(Math.floor(random() * 2)));
    await pause(500);

    const sent: { id: string; userId: string }[] = [];
    const online = () => devices.filter(({ client }) => client?.socket.connected);
    const apply = (device: Device, work: Promise<any>) =>
      work.then(({ message }) => message && device.show(message)).catch(() => undefined);

    const actions: Record<string, () => Promise<unknown> | void> = {
      send: async () => {
        const device = pick(online());
        if (!device) return;
        const text = `${random()}`;
        const answer = device.client!.ask('send-message', { conversationId: pick(conversations), content: { text } });
        await apply(
          device,
          answer.then((data) => {
            sent.push({ id: data.message.id, userId: device.userId });
            return data;
          }),
        );
      },
      edit: async () => {
        const target = pick(sent);
        const device = online().find(({ userId }) => userId === target?.userId);
        if (!device || !target) return;
        const content = { text: `${random()}` };
        await apply(device, device.client!.ask('edit-message', { messageId: target.id, content }));
      },
      remove: async () => {
        const target = pick(sent);
        const device = online().find(({ userId }) => userId === target?.userId);
        if (!device || !target) return;
        await device.client!.ask('delete-message', { messageId: target.id }).then(
          () => device.hear('message-deleted', { messageId: target.id, rev: Number.MAX_SAFE_INTEGER }),
          () => undefined,
        );
      },
      hide: async () => {
        const target = pick(sent);
        const device = pick(online());
        if (!device || !target) return;
        await device.client!.ask('delete-message', { messageId: target.id, scope: 'me' }).then(
          () => device.hidden.add(target.id),
          () => undefined,
        );
      },
      react: async () => {
        const target = pick(sent);
        const device = pick(online());
        if (!device || !target) return;
        const event = pick(['add-reaction', 'remove-reaction']);
        await apply(device, device.client!.ask(event, { messageId: target.id, emoji: '👍' }));
      },
      open: async () => {
        const device = devices.find(({ client }) => !client?.socket.connected && random() < 0.5);
        await device?.open(cluster.url(Math.floor(random() * 2)));
      },
      goodbye: () => pick(online())?.client!.close(),
      cut: () => {
        // The transport ends without a word.
        pick(online())?.client!.socket.io.engine.transport.close();
      },
      flush: () => cluster.redis!.flushAll(),
      check: async () => expect(await overlooked(database)).toEqual([]),
      wait: () => pause(random() * 60),
    };
    const weights = {
      send: 10,
      edit: 3,
      remove: 1,
      hide: 1,
      react: 3,
      open: 4,
      goodbye: 2,
      cut: 2,
      flush: 0.3,
      check: 2,
      wait: 4,
    };
    const deck = Object.entries(weights).flatMap(([name, weight]) => Array<string>(Math.ceil(weight * 4)).fill(name));
    const running: Promise<unknown>[] = [];
    for (let step = 0; step < steps; step++) {
      const work = actions[pick(deck)]!();
      // Some things happen at the same time.
      if (work && random() < 0.4) running.push(work);
      else await work;
    }
    await Promise.all(running);

    for (const device of devices) if (!device.client?.socket.connected) await device.open(cluster.url(0));
    const expected: Record<string, unknown[]> = {};
    for (const userId of ['ann', 'ben', 'cat']) expected[userId] = await truthFor(userId);
    expect(expected['ann']!.length).toBeGreaterThan(20);
    const deadline = Date.now() + 15_000;
    const isBehind = (device: Device) => JSON.stringify(shownBy(device)) !== JSON.stringify(expected[device.userId]);
    while (devices.some(isBehind) && Date.now() < deadline) await pause(100);
    for (const device of devices)
      expect(shownBy(device), `${device.userId} ${device.deviceId}`).toEqual(expected[device.userId]);
    for (const device of devices) device.client!.close();
  });
});
