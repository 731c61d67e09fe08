import { setTimeout as pause } from 'node:timers/promises';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Message } from '../../src/common/index.js';
import { narrowMarks, overlooked, unmarked } from '../support/activity-marks.js';
import { open, rest, type TestClient } from '../support/client.js';
import { TestCluster } from '../support/cluster.js';
import { directConversation, groupConversation } from '../support/conversations.js';
import { chances, modelSeed } from '../support/model-seed.js';

/**
 * Everything that can change, at random, at the same time and on two nodes, with transactions held
 * open and marks that wear out within some transactions. A client that syncs from token to token
 * ends with what a client that begins then is told; the latter looks at everything there is, and at
 * no mark. `MODEL_SEED` repeats a run.
 */
const steps = Number(process.env['MODEL_STEPS'] ?? 300);
const userIds = ['ann', 'ben', 'cat', 'dan'] as const;

/** What a user has been told by syncs, as text by key. */
class Copy {
  readonly conversations = new Map<string, string>();
  readonly messages = new Map<string, string>();
  readonly receipts = new Map<string, string>();
  private since: string | null = null;

  constructor(readonly client: TestClient) {}

  async sync(): Promise<void> {
    for (let hasMore = true; hasMore;) {
      const page: any = await this.client.ask('sync', { since: this.since, limit: 20 });
      this.take(page);
      this.since = page.next;
      hasMore = page.hasMore;
    }
  }

  private take({ conversations, messages, receipts, hidden, removed }: any): void {
    for (const { id, title, lastSeq, lastRev, unreadCount, participantCount, participants } of conversations) {
      const roles = participants.map(({ userId, role }: any) => `${userId} ${role}`).sort();
      this.conversations.set(id, JSON.stringify({ title, lastSeq, lastRev, unreadCount, participantCount, roles }));
    }
    for (const { id, rev, content } of messages as Message[]) this.messages.set(id, JSON.stringify({ rev, content }));
    for (const { messageId } of hidden) this.messages.delete(messageId);
    for (const { conversationId, userId, ...cursors } of receipts) {
      this.receipts.set(`${conversationId} ${userId}`, JSON.stringify(cursors));
    }
    for (const id of removed) this.conversations.delete(id);
  }
}

let cluster: TestCluster;
let database: pg.Pool;

beforeAll(async () => {
  cluster = await TestCluster.start({ nodes: 2 });
  database = new pg.Pool({ connectionString: cluster.database.url });
  await narrowMarks(database);
});
afterAll(async () => {
  await database.end();
  await cluster.stop();
});

/**
 * Receipts for messages the user can see: how far others had come when he joined is told by a sync
 * from nothing only.
 */
async function ofInterest({ client, receipts }: Copy): Promise<Record<string, string>> {
  const { rows } = await database.query('SELECT conversation_id, joined_seq FROM participants WHERE user_id = $1', [
    client.userId,
  ]);
  const joinedSeq = new Map(rows.map((row) => [row.conversation_id, Number(row.joined_seq)]));
  const isOfInterest = ([key, cursors]: [string, string]) =>
    JSON.parse(cursors).deliveredSeq > joinedSeq.get(key.split(' ')[0])!;
  return Object.fromEntries([...receipts].filter(isOfInterest));
}

describe('sync, at random', () => {
  it(`from token to token ends with what there is (MODEL_SEED=${modelSeed})`, async () => {
    const random = chances();
    const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)]!;
    const copies = await Promise.all(
      userIds.map(async (userId, i) => new Copy(await cluster.connect(userId, i, { ackMode: 'manual' }))),
    );
    const conversations = [
      await directConversation(cluster.url(), 'ann', 'ben'),
      await groupConversation(cluster.url(1), 'ben', ['ann', 'cat']),
    ];
    const groups = [conversations[1]!];
    const messages: Message[] = [];
    const client = () => pick(copies).client;
    const send = async (text: string) => {
      const payload = { conversationId: pick(conversations), content: { text } };
      messages.push((await client().ask('send-message', payload)).message);
    };
    const about = (event: string, more: object) =>
      messages.length > 0 && client().ask(event, { messageId: pick(messages).id, ...more });
    const mark = (event: string) => {
      const message = pick(messages);
      return message && client().ask(event, { conversationId: message.conversationId, seq: message.seq });
    };
    const patch = (path: string, method: string, body?: object) =>
      rest(cluster.url(Math.floor(random() * 2)), 'ben', method, `/v1/conversations/${pick(groups)}${path}`, body);
    /** A receipt whose transaction stays open while others come and go. */
    const slowReceipt = async () => {
      const held = await database.connect();
      try {
        await held.query('BEGIN');
        await held.query(
          `SELECT a.* FROM (SELECT conversation_id, user_id, last_seq FROM participants JOIN conversations ON id = conversation_id
             WHERE conversation_id = $1 AND user_id = $2) p,
             advance_receipts(ARRAY[p.conversation_id], ARRAY[p.user_id], ARRAY[p.last_seq], ARRAY[NULL::bigint], ARRAY[NULL::bigint]) a`,
          [pick(conversations), pick(userIds)],
        );
        await pause(random() * 80);
      } finally {
        await held.query('COMMIT');
        held.release();
      }
    };

    const comeAndGo = async () => {
      const options = { deviceId: pick(['phone', 'tablet']), ackMode: pick(['auto', 'manual'] as const) };
      const device = await open(cluster.url(Math.floor(random() * 2)), pick(userIds), options);
      // Or the device is forgotten before.
      const isForgotten = new Promise((resolve) => device.socket.once('disconnect', resolve));
      await Promise.race([device.waitFor('session-ready'), isForgotten]);
      const message = pick(messages);
      const { conversationId, seq } = message ?? {};
      if (message && random() < 0.5) await device.ask('mark-delivered', { conversationId, seq }).catch(() => undefined);
      else await pause(random() * 500);
      device.close();
    };
    const forget = () => rest(cluster.url(), pick(userIds), 'DELETE', `/v1/me/devices/${pick(['phone', 'tablet'])}`);

    const actions: [number, () => unknown][] = [
      [10, () => send(`${random()}`)],
      [3, () => about('edit-message', { content: { text: `${random()}` } })],
      [2, () => about('delete-message', { scope: pick(['everyone', 'me']) })],
      [3, () => about(pick(['add-reaction', 'remove-reaction']), { emoji: '👍' })],
      [8, () => mark(pick(['mark-read', 'mark-delivered']))],
      [3, slowReceipt],
      [1, () => patch('', 'PATCH', { title: `${random()}` })],
      [2, () => patch('/participants', 'POST', { userIds: [pick(['ann', 'cat', 'dan'])] })],
      [2, () => patch(`/participants/${pick(['ann', 'cat', 'dan'])}`, 'DELETE')],
      [1, () => patch(`/participants/${pick(['ann', 'cat'])}`, 'PATCH', { role: pick(['admin', 'member']) })],
      [1, async () => void groups.push(await groupConversation(cluster.url(), 'ben', [pick(['ann', 'dan'])]))],
      [8, () => pick(copies).sync()],
      [8, comeAndGo],
      [1, forget],
      [3, async () => expect(await unmarked(database)).toEqual([])],
      [3, async () => expect(await overlooked(database)).toEqual([])],
    ];
    const deck = actions.flatMap(([weight, action]) => Array.from({ length: weight }, () => action));
    const running: Promise<unknown>[] = [];
    for (let step = 0; step < steps; step++) {
      // Much is refused: not a participant, not the sender, nothing to change.
      const work = Promise.resolve(pick(deck)()).catch((error) => expect(error).toHaveProperty('requestId'));
      if (random() < 0.6) running.push(work);
      else await work;
      conversations.splice(2, Infinity, ...groups.slice(1));
    }
    await Promise.all(running);

    for (const copy of copies) await copy.sync();
    expect(await unmarked(database)).toEqual([]);
    expect(await overlooked(database)).toEqual([]);
    for (const copy of copies) {
      const fresh = new Copy(copy.client);
      await fresh.sync();
      expect(Object.fromEntries(copy.conversations)).toEqual(Object.fromEntries(fresh.conversations));
      // A copy may know more: messages from before its user left and came back.
      expect(Object.fromEntries(copy.messages)).toMatchObject(Object.fromEntries(fresh.messages));
      expect(Object.fromEntries(copy.receipts)).toMatchObject(await ofInterest(fresh));
    }
  });
});
