import fc from 'fast-check';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Conversation, Message } from '../../src/common/index.js';
import { ConversationViews } from '../../src/conversations/index.js';
import { rest, type TestClient } from '../support/client.js';
import { TestCluster } from '../support/cluster.js';
import { groupConversation } from '../support/conversations.js';
import { manually, someUsers } from '../support/receipts.js';

interface Sent {
  id: string;
  seq: number;
  senderId: string;
  isGone: boolean;
  hiddenFrom: Set<string>;
}

interface Member {
  joinedSeq: number;
  readSeq: number;
}

/** What `unreadCount` must say, counted over everything that happened. */
class Model {
  readonly messages: Sent[] = [];
  readonly members = new Map<string, Member>();

  get lastSeq(): number {
    return this.messages.length;
  }

  unreadOf(userId: string): number {
    const { joinedSeq, readSeq } = this.members.get(userId)!;
    const isUnread = ({ seq, senderId, isGone, hiddenFrom }: Sent) =>
      seq > Math.max(joinedSeq, readSeq) && senderId !== userId && !isGone && !hiddenFrom.has(userId);
    return this.messages.filter(isUnread).length;
  }
}

type Step =
  | { do: 'send'; who: number; times: number }
  | { do: 'mark-read' | 'mark-delivered'; who: number; place: number }
  | { do: 'delete' | 'expire'; place: number }
  | { do: 'hide'; who: number; place: number }
  | { do: 'come-or-go'; who: number };

const who = fc.nat({ max: 3 });
const place = fc.nat({ max: 999 });
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ do: fc.constant('send' as const), who, times: fc.integer({ min: 1, max: 3 }) }) },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constantFrom('mark-read' as const, 'mark-delivered' as const), who, place }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constantFrom('delete' as const, 'expire' as const), place }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('hide' as const), who, place }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('come-or-go' as const), who: fc.integer({ min: 1, max: 3 }) }) },
);

describe('unreadCount', () => {
  let cluster: TestCluster;
  let sql: pg.Pool;

  beforeAll(async () => {
    cluster = await TestCluster.start({ nodes: 2 });
    sql = new pg.Pool({ connectionString: cluster.database.url, max: 2 });
  });

  afterAll(async () => {
    await sql?.end();
    await cluster?.stop();
  });

  /** One conversation of four users, each with two devices on different nodes, and its model. */
  class Walk {
    readonly model = new Model();

    private constructor(
      readonly userIds: string[],
      readonly conversationId: string,
      private readonly devices: TestClient[][],
    ) {
      for (const userId of userIds) this.model.members.set(userId, { joinedSeq: 0, readSeq: 0 });
    }

    static async start(): Promise<Walk> {
      const userIds = Object.values(someUsers('alice', 'bob', 'carol', 'dave'));
      const conversationId = await groupConversation(cluster.url(), userIds[0]!, userIds.slice(1));
      const devices = await Promise.all(
        userIds.map((userId) =>
          Promise.all([0, 1].map((node) => cluster.connect(userId, node, { ...manually, deviceId: `on-${node}` }))),
        ),
      );
      return new Walk(userIds, conversationId, devices);
    }

    close(): void {
      for (const device of this.devices.flat()) device.close();
    }

    async take(step: Step, turn: number): Promise<void> {
      switch (step.do) {
        case 'send':
          return this.send(step.who, step.times, turn);
        case 'mark-read':
        case 'mark-delivered':
          return this.mark(step.do, step.who, step.place, turn);
        case 'delete':
          return this.delete(step.place, turn);
        case 'expire':
          return this.expire(step.place);
        case 'hide':
          return this.hide(step.who, step.place, turn);
        case 'come-or-go':
          return this.comeOrGo(step.who);
      }
    }

    async check(): Promise<void> {
      const expected = [...this.model.members.keys()].map((userId) => [userId, this.model.unreadOf(userId)]);
      const shown = await Promise.all(
        [...this.model.members.keys()].map(async (userId, i) => {
          const path = `/v1/conversations/${this.conversationId}`;
          return [userId, (await rest<Conversation>(cluster.url(i), userId, 'GET', path)).body.unreadCount];
        }),
      );
      expect(shown).toEqual(expected);
    }

    private async send(who: number, times: number, turn: number): Promise<void> {
      const senderId = this.userIds[who]!;
      if (!this.model.members.has(senderId)) return;
      for (let i = 0; i < times; i++) {
        const { message } = await this.devices[who]![turn % 2]!.ask<{ message: Message }>('send-message', {
          conversationId: this.conversationId,
          content: { text: 'x' },
        });
        this.model.messages.push({ id: message.id, seq: message.seq, senderId, isGone: false, hiddenFrom: new Set() });
      }
    }

    private async mark(verb: string, who: number, place: number, turn: number): Promise<void> {
      const member = this.model.members.get(this.userIds[who]!);
      if (!member) return;
      const seq = place % (this.model.lastSeq + 1);
      await this.devices[who]![turn % 2]!.ask(verb, { conversationId: this.conversationId, seq });
      if (verb === 'mark-read') member.readSeq = Math.max(member.readSeq, seq);
    }

    private async delete(place: number, turn: number): Promise<void> {
      const message = this.messageAt(place);
      const sender = this.userIds.indexOf(message?.senderId ?? '');
      if (!message || message.isGone || !this.canSee(sender, message)) return;
      await this.devices[sender]![turn % 2]!.ask('delete-message', { messageId: message.id });
      message.isGone = true;
    }

    private async hide(who: number, place: number, turn: number): Promise<void> {
      const message = this.messageAt(place);
      if (!message || message.isGone || !this.canSee(who, message)) return;
      await this.devices[who]![turn % 2]!.ask('delete-message', { messageId: message.id, scope: 'me' });
      message.hiddenFrom.add(this.userIds[who]!);
    }

    /** By the clock of the test: waiting for the message's own would take a second. */
    private async expire(place: number): Promise<void> {
      const message = this.messageAt(place);
      if (!message) return;
      await sql.query('UPDATE messages SET expires_at = now() WHERE id = $1', [message.id]);
      message.isGone = true;
    }

    private messageAt(place: number): Sent | undefined {
      return this.model.messages[place % Math.max(1, this.model.lastSeq)];
    }

    private canSee(who: number, { seq, hiddenFrom }: Sent): boolean {
      const userId = this.userIds[who]!;
      return seq > (this.model.members.get(userId)?.joinedSeq ?? Infinity) && !hiddenFrom.has(userId);
    }

    private async comeOrGo(who: number): Promise<void> {
      const userId = this.userIds[who]!;
      const path = `/v1/conversations/${this.conversationId}/participants`;
      if (this.model.members.delete(userId)) {
        await rest(cluster.url(), this.userIds[0]!, 'DELETE', `${path}/${userId}`);
        return;
      }
      await rest(cluster.url(), this.userIds[0]!, 'POST', path, { userIds: [userId] });
      this.model.members.set(userId, { joinedSeq: this.model.lastSeq, readSeq: this.model.lastSeq });
    }
  }

  it('equals a recount after any mixture of sends, marks, deletions, expiry, hiding, joining and leaving', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 40 }), async (steps) => {
        const walk = await Walk.start();
        try {
          for (const [turn, step] of steps.entries()) {
            await walk.take(step, turn);
            if (turn % 5 === 4) await walk.check();
          }
          await walk.check();
        } finally {
          walk.close();
        }
      }),
      { numRuns: 15 },
    );
  });

  it('equals a recount for everybody who is shown a group at once', async () => {
    const userIds = Object.values(someUsers(...Array.from({ length: 40 }, (_, i) => `member-${i}`)));
    const conversationId = await groupConversation(cluster.url(), userIds[0]!, userIds.slice(1));
    const other = await groupConversation(cluster.url(), userIds[0]!, userIds.slice(1, 3));
    const pick = (max: number) => Math.floor(Math.random() * max);
    await sql.query(
      `INSERT INTO messages (conversation_id, seq, rev, id, sender_id, type, created_at, deleted_at, expires_at)
       SELECT $1, i, i, gen_random_uuid(), ($2::text[])[1 + i % 7], 'text', now(), CASE WHEN i % 5 = 0 THEN now() END,
              CASE i % 11 WHEN 0 THEN now() - interval '1 second' WHEN 1 THEN now() + interval '1 hour' END
       FROM generate_series(1, 500) i`,
      [conversationId, userIds],
    );
    await sql.query('UPDATE conversations SET last_seq = 500, last_rev = 500 WHERE id = $1', [conversationId]);
    await sql.query(
      `UPDATE participants p SET joined_seq = j, read_seq = r FROM unnest($2::text[], $3::int[], $4::int[]) AS t (id, j, r)
       WHERE p.conversation_id = $1 AND p.user_id = t.id`,
      [conversationId, userIds, userIds.map(() => pick(3) * pick(300)), userIds.map(() => pick(20) * 25)],
    );
    await sql.query(
      `INSERT INTO hidden_messages (user_id, conversation_id, seq, message_id)
       SELECT u, conversation_id, seq, id FROM messages, unnest($2::text[]) u WHERE conversation_id = $1 AND hashtext(u || id) % 9 = 0`,
      [conversationId, userIds],
    );
    const { rows } = await sql.query<{ id: string; n: number }>(
      `SELECT p.user_id AS id, count(m.seq)::int AS n FROM participants p LEFT JOIN messages m
         ON m.conversation_id = p.conversation_id AND m.seq > p.read_seq AND m.seq > p.joined_seq AND m.sender_id <> p.user_id
            AND m.deleted_at IS NULL AND coalesce(m.expires_at > now(), true)
            AND NOT EXISTS (SELECT 1 FROM hidden_messages h WHERE h.user_id = p.user_id AND h.message_id = m.id)
       WHERE p.conversation_id = $1 GROUP BY p.user_id`,
      [conversationId],
    );
    const recount = Object.fromEntries(rows.map(({ id, n }) => [id, n]));
    expect(new Set(Object.values(recount)).size).toBeGreaterThan(20);
    const views = cluster.nodes[0]!.app!.get(ConversationViews);
    const shown = await views.forUsers(conversationId, userIds);
    expect(Object.fromEntries([...shown].map(([id, { unreadCount }]) => [id, unreadCount]))).toEqual(recount);
    // Few are counted in another way than many.
    const some = await views.forUsers(conversationId, userIds.slice(0, 4));
    for (const [id, { unreadCount }] of some) expect([id, unreadCount]).toEqual([id, recount[id]]);
    const alone = await views.forUser(userIds[1]!, [other, conversationId]);
    expect(alone.map(({ unreadCount }) => unreadCount)).toEqual([0, recount[userIds[1]!]]);
  });

  it('equals a recount after the same things at once', async () => {
    const walk = await Walk.start();
    const [alice, bob] = walk.userIds as [string, string];
    const clients = await Promise.all([alice, bob, bob].map((userId, node) => cluster.connect(userId, node, manually)));
    const { conversationId } = walk;
    await Promise.all(
      Array.from({ length: 30 }, async () => {
        const { message } = await clients[0]!.ask<{ message: Message }>('send-message', {
          conversationId,
          content: { text: 'x' },
        });
        await clients[1 + (message.seq % 2)]!.ask('mark-read', { conversationId, seq: Math.ceil(message.seq / 2) });
      }),
    );
    const path = `/v1/conversations/${conversationId}`;
    expect((await rest<Conversation>(cluster.url(1), bob, 'GET', path)).body.unreadCount).toBe(15);
    walk.close();
  });
});
