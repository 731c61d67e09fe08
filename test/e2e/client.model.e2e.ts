import { setTimeout as pause } from 'node:timers/promises';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MemoryStorage, type Message, type ParleyClient } from '../../src/client/index.js';
import { TestCluster } from '../support/cluster.js';
import { groupConversation } from '../support/conversations.js';
import { LossyProxy } from '../support/lossy-proxy.js';
import { chances, modelSeed } from '../support/model-seed.js';
import { closeAll, sdk, textOf } from '../support/sdk.js';

/**
 * Apps on the client SDK that keep what they are told, over links that are cut and swallow, and are
 * themselves closed, killed and started anew: at the end each shows what Postgres holds, what each
 * gave to be sent is stored once, in order, and none was told anything twice or after something
 * newer. `MODEL_SEED` repeats a run.
 */
const steps = Number(process.env['MODEL_STEPS'] ?? 250);

/** What a killed program leaves: nothing is written after its end. */
class DiskOfAProgram extends MemoryStorage {
  isDead = false;

  constructor(readonly disk: MemoryStorage) {
    super();
  }

  override getItem(key: string): string | null {
    return this.disk.getItem(key);
  }

  override setItem(key: string, value: string): void {
    if (!this.isDead) this.disk.setItem(key, value);
  }

  override removeItem(key: string): void {
    if (!this.isDead) this.disk.removeItem(key);
  }
}

interface Shown {
  rev: number;
  text: unknown;
  likes: string[];
}

/** One installed app: its own database outlives its runs. */
class App {
  readonly shown = new Map<string, Shown>();
  /** What the outbox took, by clientMessageId and conversation, in order. */
  readonly queued = new Map<string, string[]>();
  readonly faults: string[] = [];
  /** For who has to find out what went wrong. */
  readonly diary: string[] = [];
  client: ParleyClient | null = null;
  private readonly disk = new MemoryStorage();
  private program: DiskOfAProgram | null = null;
  /** Since a kill what was taken just before it may come again. */
  private wasKilled = false;
  private count = 0;

  constructor(
    readonly userId: string,
    readonly deviceId: string,
    private readonly ackMode: 'auto' | 'manual',
  ) {}

  start(url: string): void {
    const program = new DiskOfAProgram(this.disk);
    this.program = program;
    const client = sdk(url, this.userId, {
      deviceId: this.deviceId,
      ackMode: this.ackMode,
      storage: program,
      firstSync: 'everything',
      pageSize: 7,
      requestTimeoutMs: 500,
      connectTimeoutMs: 1_500,
      heartbeatIntervalMs: 150,
      positionLagMs: 1_500,
    });
    const live = <T>(take: (payload: T) => void) => {
      return (payload: T) => (program.isDead ? undefined : take(payload));
    };
    client.on(
      'new-message',
      live((message) => this.take(message)),
    );
    client.on(
      'message-edited',
      live((message) => this.take(message)),
    );
    client.on(
      'message-deleted',
      live(({ messageId, rev }) => this.put(messageId, { rev: rev!, text: null, likes: [] })),
    );
    client.on(
      'reaction-changed',
      live(({ messageId, rev, userId, added }) => {
        const others = this.shown.get(messageId)?.likes.filter((one) => one !== userId) ?? [];
        const { text = 'unknown' } = this.shown.get(messageId) ?? {};
        this.put(messageId, { rev, text, likes: (added ? [...others, userId] : others).sort() });
      }),
    );
    client.on(
      'message-sent',
      live(({ message }) => this.learn(message)),
    );
    client.on(
      'message-queued',
      live(({ conversationId, message }) => {
        const texts = this.queued.get(conversationId) ?? [];
        this.queued.set(conversationId, [...texts, message.clientMessageId!]);
      }),
    );
    client.on(
      'error',
      live((error) => void this.faults.push(`${error.code} ${error.event ?? ''}`)),
    );
    for (const event of ['state', 'synced', 'session-ready'] as const) {
      client.on(event, (payload) => this.note(event, payload));
    }
    void client.connect();
    this.client = client;
    this.note('start', url);
  }

  async close(): Promise<void> {
    this.note('close', '');
    const { client, program } = this;
    this.client = null;
    await client!.close();
    program!.isDead = true;
  }

  kill(): void {
    this.note('kill', '');
    this.program!.isDead = true;
    this.wasKilled = true;
    void this.client!.close();
    this.client = null;
  }

  send(conversationId: string): void {
    const text = `${this.userId} ${this.deviceId} ${(this.count += 1)}`;
    void this.client!.send({ conversationId, clientMessageId: text, content: { text } });
  }

  remove(messageId: string): void {
    const { program } = this;
    const gone = { rev: Number.POSITIVE_INFINITY, text: null, likes: [] };
    this.client!.deleteMessage(messageId).then(
      () => program!.isDead || this.shown.set(messageId, gone),
      () => undefined,
    );
  }

  /** Asks for a change and shows its answer. */
  change(work: Promise<{ message: Message }>): void {
    const { program } = this;
    work.then(({ message }) => program!.isDead || this.learn(message)).catch(() => undefined);
  }

  /** What the app asked for itself: an event may have told it first. */
  private learn(message: Message): void {
    this.note('answered', { id: message.id, ...shownOf(message) });
    if (message.rev > (this.shown.get(message.id)?.rev ?? 0)) this.shown.set(message.id, shownOf(message));
  }

  private take(message: Message): void {
    this.put(message.id, shownOf(message));
  }

  private note(what: string, about: unknown): void {
    this.diary.push(`${Math.round(performance.now())} ${what} ${JSON.stringify(about)}`);
  }

  private put(id: string, next: Shown): void {
    this.note('handed', { id, ...next });
    const known = this.shown.get(id)?.rev ?? 0;
    if (next.rev > known) this.shown.set(id, next);
    else if (!this.wasKilled) this.faults.push(`${id} at ${next.rev} after ${known}`);
  }
}

function shownOf(message: Message): Shown {
  const likes = [...(message.reactions['👍']?.userIds ?? [])].sort();
  return { rev: message.rev, text: textOf(message) ?? null, likes };
}

let cluster: TestCluster;
let database: pg.Client;
let proxies: LossyProxy[];

beforeAll(async () => {
  cluster = await TestCluster.start({ nodes: 2 });
  database = new pg.Client({ connectionString: cluster.database.url });
  await database.connect();
  proxies = await Promise.all([0, 1].map((node) => LossyProxy.to(Number(new URL(cluster.url(node)).port))));
});
afterAll(async () => {
  await closeAll();
  await Promise.all(proxies.map((proxy) => proxy.stop()));
  await database.end();
  await cluster.stop();
});

async function stored(): Promise<{ id: string; conversation: string; text: string | null; likes: string[] }[]> {
  const { rows } = await database.query(
    `SELECT id, conversation_id AS conversation, content ->> 'text' AS text, reactions -> '👍' -> 'userIds' AS likes
     FROM messages ORDER BY conversation_id, seq`,
  );
  return rows.map((row) => ({ ...row, likes: [...(row.likes ?? [])].sort() }));
}

/** Whose messages are stored, in order: `ann phone 1`, … */
async function storedIds(conversation: string): Promise<string[]> {
  const { rows } = await database.query<{ id: string }>(
    'SELECT client_message_id AS id FROM messages WHERE conversation_id = $1 ORDER BY seq',
    [conversation],
  );
  return rows.map(({ id }) => id);
}

const numberOf = (clientMessageId: string) => Number(clientMessageId.split(' ')[2]);

describe('apps on the client SDK, by a model', () => {
  it(`show what Postgres holds, and what they sent is stored once and in order (MODEL_SEED=${modelSeed})`, async () => {
    const random = chances();
    const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)]!;
    const apps = ['ann', 'ben', 'cat'].flatMap((user) => [
      new App(user, 'phone', 'manual'),
      new App(user, 'tablet', 'auto'),
    ]);
    const conversations = [
      await groupConversation(cluster.url(), 'ann', ['ben', 'cat']),
      await groupConversation(cluster.url(1), 'ben', ['ann', 'cat']),
    ];
    for (const app of apps) app.start(pick(proxies).url);
    const running = () => apps.filter(({ client }) => client !== null);
    const known = (app: App) => [...app.shown].filter(([, { text }]) => text !== null).slice(-10);

    const actions: Record<string, () => Promise<unknown> | void> = {
      send: () => pick(running()).send(pick(conversations)),
      react: () => {
        const app = pick(running());
        const [messageId] = pick(known(app)) ?? [];
        const verb = pick(['add-reaction', 'remove-reaction'] as const);
        if (messageId) app.change(app.client!.request(verb, { messageId, emoji: '👍' }));
      },
      edit: () => {
        const app = pick(running());
        const own = known(app).filter(([, { text }]) => String(text).startsWith(app.userId));
        const [messageId, was] = pick(own) ?? [];
        if (messageId) app.change(app.client!.editMessage({ messageId, content: { text: `${was.text as string}!` } }));
      },
      remove: () => {
        const app = pick(running());
        const own = known(app).filter(([, { text }]) => String(text).startsWith(app.userId));
        const [messageId] = pick(own) ?? [];
        if (messageId) app.remove(messageId);
      },
      cut: () => pick(proxies).cut(),
      swallow: () => {
        const proxy = pick(proxies);
        proxy.swallow(...pick([['toClient'], ['toServer'], ['toClient', 'toServer']] as const));
        setTimeout(() => proxy.swallow(), 300);
      },
      flush: () => cluster.redis!.flushAll(),
      close: () => (running().length > 3 ? pick(running()).close() : undefined),
      kill: () => (running().length > 3 ? pick(running()).kill() : undefined),
      start: () => apps.find(({ client }) => client === null)?.start(pick(proxies).url),
      wait: () => pause(random() * 80),
    };
    const weights = {
      send: 30,
      react: 8,
      edit: 8,
      remove: 2,
      cut: 3,
      swallow: 1,
      flush: 1,
      close: 3,
      kill: 2,
      start: 8,
      wait: 30,
    };
    const deck = Object.entries(weights).flatMap(([name, weight]) => Array<string>(weight).fill(name));
    for (let step = 0; step < steps; step++) await actions[pick(deck)]!();

    for (const app of apps) if (app.client === null) app.start(pick(proxies).url);
    const deadline = Date.now() + 20_000;
    const differences = async () => {
      const truth = (await stored()).map(({ id, text, likes }) => [id, { text, likes }]);
      const want = JSON.stringify(Object.fromEntries(truth.sort()));
      return apps.filter((app) => {
        const shows = [...app.shown]
          .sort(([a], [b]) => (a < b ? -1 : 1))
          .map(([id, { text, likes }]) => [id, { text, likes }]);
        return JSON.stringify(Object.fromEntries(shows)) !== want;
      });
    };
    const unsent = async () => (await Promise.all(apps.map(({ client }) => client!.pendingMessages()))).flat();
    while ((await unsent()).length > 0 && Date.now() < deadline) await pause(100);
    expect(await unsent()).toEqual([]);
    while ((await differences()).length > 0 && Date.now() < deadline) await pause(200);
    const truth = (await stored()).map(({ id, text, likes }) => [id, { text, likes }] as const);
    for (const app of await differences()) {
      const shows = new Map([...app.shown].map(([id, { text, likes }]) => [id, { text, likes }]));
      const wrong = truth.filter(([id, is]) => JSON.stringify(shows.get(id)) !== JSON.stringify(is));
      const diary = app.diary.filter(
        (line) => !/ handed| answered/.test(line) || wrong.some(([id]) => line.includes(id)),
      );
      expect(
        wrong.map(([id, is]) => ({ id, is, shows: shows.get(id) })),
        `${app.userId} ${app.deviceId}\n${diary.join('\n')}`,
      ).toEqual([]);
    }
    for (const { userId, deviceId, faults, diary } of apps) {
      const ids = faults.map((fault) => fault.split(' ')[0]!);
      const about = diary.filter((line) => !/ handed| answered/.test(line) || ids.some((id) => line.includes(id)));
      expect(faults, `${userId} ${deviceId}\n${about.join('\n')}`).toEqual([]);
    }
    expect(truth.length).toBeGreaterThan(20);
    for (const conversation of conversations) {
      const all = await storedIds(conversation);
      for (const { userId, deviceId, queued } of apps) {
        const own = all.filter((id) => id.startsWith(`${userId} ${deviceId} `));
        expect(own).toEqual([...new Set(own)].sort((a, b) => numberOf(a) - numberOf(b)));
        expect(own).toEqual(expect.arrayContaining(queued.get(conversation) ?? []));
      }
    }
  });
});
