import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Conversation } from '../../src/common/index.js';
import { rest } from '../support/client.js';
import { TestCluster } from '../support/cluster.js';
import { directConversation, groupConversation } from '../support/conversations.js';
import { manually, quiet, receiptsHeardBy, send, someUsers } from '../support/receipts.js';

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

async function pair() {
  const { alice: a, bob: b } = someUsers('alice', 'bob');
  const conversationId = await directConversation(cluster.url(), a, b);
  const [alice, bob] = await Promise.all([cluster.connect(a, 0, manually), cluster.connect(b, 1, manually)]);
  return { conversationId, alice, bob };
}

/** A user's cursors as another is shown them. */
async function cursorsOf(userId: string, viewerId: string, conversationId: string, node = 0): Promise<number[]> {
  const { body } = await rest<Conversation>(cluster.url(node), viewerId, 'GET', `/v1/conversations/${conversationId}`);
  const { deliveredSeq, readSeq } = body.participants.find((participant) => participant.userId === userId)!;
  return [deliveredSeq, readSeq];
}

describe('mark-read', () => {
  it('implies delivered, and tells the peer and the reader’s own other sockets', async () => {
    const { conversationId, alice, bob } = await pair();
    const tablet = await cluster.connect(bob.userId, 0, { ...manually, deviceId: 'tablet' });
    await send(alice, conversationId, 3);
    expect(await bob.ask('mark-read', { conversationId, seq: 2 })).toEqual({ conversationId, readSeq: 2 });
    const told = await alice.waitFor('messages-read');
    expect(told).toEqual({
      conversationId,
      userId: bob.userId,
      readSeq: 2,
      readAt: expect.stringMatching(/^\d{4}-.*Z$/),
    });
    expect(await tablet.waitFor('messages-read')).toEqual(told);
    expect(await cursorsOf(bob.userId, alice.userId, conversationId)).toEqual([2, 2]);
    await quiet(cluster, conversationId, alice, bob, tablet);
    expect(receiptsHeardBy(alice)).toEqual([
      ['message-delivered', bob.userId, 2],
      ['messages-read', bob.userId, 2],
    ]);
    expect(receiptsHeardBy(tablet)).toEqual([['messages-read', bob.userId, 2]]);
    expect(receiptsHeardBy(bob)).toEqual([]);
  });

  it('says delivered only where that moved', async () => {
    const { conversationId, alice, bob } = await pair();
    await send(alice, conversationId, 3);
    await bob.ask('mark-delivered', { conversationId, seq: 3 });
    await bob.ask('mark-read', { conversationId, seq: 2 });
    await alice.waitFor('messages-read');
    expect(receiptsHeardBy(alice)).toEqual([
      ['message-delivered', bob.userId, 3],
      ['messages-read', bob.userId, 2],
    ]);
    expect(await cursorsOf(bob.userId, alice.userId, conversationId, 1)).toEqual([3, 2]);
  });

  it('takes a message id, or several of which the highest counts', async () => {
    const { conversationId, alice, bob } = await pair();
    const ids = (await send(alice, conversationId, 5)).map(({ id }) => id);
    expect(await bob.ask('mark-read', { conversationId, messageId: ids[1] })).toEqual({ conversationId, readSeq: 2 });
    const messageIds = [ids[3], ids[0], ids[2], ids[3]];
    expect(await bob.ask('mark-read', { conversationId, messageIds })).toEqual({ conversationId, readSeq: 4 });
    expect(await bob.ask('mark-read', { conversationId, messageId: ids[0] })).toEqual({ conversationId, readSeq: 4 });
  });

  it('answers a lower or equal one with the present cursor and tells nobody', async () => {
    const { conversationId, alice, bob } = await pair();
    await send(alice, conversationId, 4);
    await bob.ask('mark-read', { conversationId, seq: 3 });
    for (const seq of [3, 1, 0]) {
      expect(await bob.ask('mark-read', { conversationId, seq })).toEqual({ conversationId, readSeq: 3 });
    }
    await quiet(cluster, conversationId, alice);
    expect(receiptsHeardBy(alice)).toHaveLength(2);
  });

  it('wants exactly one of seq, messageId and messageIds, within the limits', async () => {
    const { conversationId, alice, bob } = await pair();
    const { id } = (await send(alice, conversationId))[0]!;
    const many = Array.from({ length: 501 }, () => randomUUID());
    const wrong: [object, string][] = [
      [{ conversationId }, 'seq'],
      [{ conversationId, seq: null }, 'seq'],
      [{ conversationId, seq: 1, messageId: id }, 'seq'],
      [{ conversationId, messageId: id, messageIds: [id] }, 'seq'],
      [{ conversationId, seq: 2 }, 'seq'],
      [{ conversationId, seq: -1 }, 'seq'],
      [{ conversationId, seq: 0.5 }, 'seq'],
      [{ conversationId, messageId: 'x' }, 'messageId'],
      [{ conversationId, messageId: [id] }, 'messageId'],
      [{ conversationId, messageIds: [] }, 'messageIds'],
      [{ conversationId, messageIds: id }, 'messageIds'],
      [{ conversationId, messageIds: [id, 7] }, 'messageIds'],
      [{ conversationId, messageIds: many }, 'messageIds'],
      [{ seq: 1 }, 'conversationId'],
      [{ conversationId, seq: 1, at: 'now' }, 'at'],
    ];
    for (const [payload, path] of wrong) {
      const { code, details } = await bob.refused('mark-read', payload);
      expect([payload, code, details?.[0]?.path]).toEqual([payload, 'VALIDATION_FAILED', path]);
    }
    expect(await cursorsOf(bob.userId, alice.userId, conversationId)).toEqual([0, 0]);
  });

  it('finds no message that is elsewhere, hidden, expired or older than the reader’s joining', async () => {
    const { alice: a, bob: b, carol: c } = someUsers('alice', 'bob', 'carol');
    const url = cluster.url();
    const conversationId = await groupConversation(url, a, [b]);
    const [alice, bob] = [await cluster.connect(a, 0, manually), await cluster.connect(b, 1, manually)];
    const [early, hidden, expired, seen] = (await send(alice, conversationId, 4)).map(({ id }) => id);
    const other = await directConversation(url, a, b);
    const [elsewhere] = (await send(alice, other)).map(({ id }) => id);
    await sql.query(
      `INSERT INTO hidden_messages (user_id, conversation_id, seq, message_id)
       SELECT $1, conversation_id, seq, id FROM messages WHERE id = $2`,
      [b, hidden],
    );
    await sql.query(`UPDATE messages SET expires_at = now() WHERE id = $1`, [expired]);
    await rest(url, a, 'POST', `/v1/conversations/${conversationId}/participants`, { userIds: [c] });
    const carol = await cluster.connect(c, 0, manually);
    const refusals = [
      await bob.refused('mark-read', { conversationId, messageId: elsewhere }),
      await bob.refused('mark-read', { conversationId, messageId: hidden }),
      await bob.refused('mark-read', { conversationId, messageId: expired }),
      await bob.refused('mark-read', { conversationId, messageId: randomUUID() }),
      await bob.refused('mark-read', { conversationId, messageIds: [seen, elsewhere] }),
      await carol.refused('mark-read', { conversationId, messageId: early }),
      await carol.refused('mark-read', { conversationId: other, seq: 1 }),
    ].map(({ requestId: _, ...body }) => body);
    for (const refusal of refusals) expect(refusal).toEqual({ ...refusals[0], code: 'NOT_FOUND' });
    expect(await bob.ask('mark-read', { conversationId, messageId: seen })).toEqual({ conversationId, readSeq: 4 });
  });

  it('has a second door over REST', async () => {
    const { conversationId, alice, bob } = await pair();
    await send(alice, conversationId, 2);
    const path = `/v1/conversations/${conversationId}/read`;
    const read = (userId: string, body: unknown, at = path) => rest(cluster.url(1), userId, 'POST', at, body);
    const { status, body } = await read(bob.userId, { seq: 2 });
    expect([status, body]).toEqual([200, { conversationId, readSeq: 2 }]);
    expect((await read(bob.userId, { seq: 1 })).body).toEqual({ conversationId, readSeq: 2 });
    await alice.waitFor('messages-read');
    await bob.waitFor('messages-read');
    expect(await read(bob.userId, { seq: 3 })).toMatchObject({ status: 400, body: { code: 'VALIDATION_FAILED' } });
    expect((await read(bob.userId, {})).body).toMatchObject({ code: 'VALIDATION_FAILED', status: 400 });
    expect(await read(bob.userId, { seq: 1, rev: 1 })).toMatchObject({ status: 400 });
    expect(await read('a-stranger', { seq: 1 })).toMatchObject({ status: 404, body: { code: 'NOT_FOUND' } });
    expect(await read(bob.userId, { seq: 1 }, '/v1/conversations/x/read')).toMatchObject({ status: 400 });
  });

  it('is not implied by sending', async () => {
    const { conversationId, alice, bob } = await pair();
    await send(alice, conversationId, 2);
    await send(bob, conversationId, 2);
    expect(await cursorsOf(bob.userId, alice.userId, conversationId)).toEqual([0, 0]);
    expect(receiptsHeardBy(alice)).toEqual([]);
  });

  it('only grows, and never overtakes delivered, whatever several sockets mark at once', async () => {
    const { conversationId, alice, bob } = await pair();
    const tablet = await cluster.connect(bob.userId, 0, { ...manually, deviceId: 'tablet' });
    await send(alice, conversationId, 50);
    let highest = 0;
    await Promise.all(
      Array.from({ length: 100 }, async (_, i) => {
        const seq = ((i * 37) % 50) + 1;
        const client = i % 3 === 0 ? tablet : bob;
        const answer = await client.ask(i % 2 ? 'mark-read' : 'mark-delivered', { conversationId, seq });
        expect(answer.readSeq ?? answer.deliveredSeq).toBeGreaterThanOrEqual(seq);
        highest = Math.max(highest, i % 2 ? seq : 0);
      }),
    );
    expect(await cursorsOf(bob.userId, alice.userId, conversationId)).toEqual([50, highest]);
    const { rows } = await sql.query(
      `SELECT count(*)::int AS n FROM receipt_log r WHERE conversation_id = $1 AND kind = 'read'
         AND NOT EXISTS (SELECT 1 FROM receipt_log d WHERE d.conversation_id = r.conversation_id
                           AND d.user_id = r.user_id AND d.kind = 'delivered' AND d.seq >= r.seq AND d.at <= r.at)`,
      [conversationId],
    );
    expect(rows).toEqual([{ n: 0 }]);
  });
});

describe('many receipts at once', () => {
  it('are heard growing, and read never above delivered, though they come from several nodes', async () => {
    const { conversationId, alice, bob } = await pair();
    const devices = await Promise.all(
      [0, 1, 0, 1].map((node, i) => cluster.connect(bob.userId, node, { ...manually, deviceId: `device-${i}` })),
    );
    await send(alice, conversationId, 200);
    for (let seq = 1; seq <= 200; seq += 4) {
      await Promise.all(
        devices.map((device, i) => {
          const event = i % 2 ? 'mark-delivered' : 'mark-read';
          return device.ask(event, { conversationId, seq: seq + ((i * 7) % 4) });
        }),
      );
    }
    await quiet(cluster, conversationId, alice);
    const told = { 'message-delivered': 0, 'messages-read': 0 };
    for (const [event, , seq] of receiptsHeardBy(alice) as [keyof typeof told, string, number][]) {
      expect(seq, event).toBeGreaterThan(told[event]);
      told[event] = seq;
      expect(told['messages-read'], event).toBeLessThanOrEqual(told['message-delivered']);
    }
    expect(told).toEqual({ 'message-delivered': 200, 'messages-read': 199 });
  });

  it('do not get into each other’s way, on two nodes, in several conversations, with members coming and going', async () => {
    const owner = someUsers('owner').owner;
    const userIds = Array.from({ length: 8 }, (_, i) => `${owner}-${i}`);
    const conversationIds = await Promise.all(
      [0, 1].map((node) => groupConversation(cluster.url(node), owner, userIds)),
    );
    const sender = await cluster.connect(owner, 0, manually);
    await Promise.all(conversationIds.map((id) => send(sender, id, 20)));
    const clients = await Promise.all(userIds.map((userId, i) => cluster.connect(userId, i, manually)));
    const marks = clients.flatMap((client, i) =>
      Array.from({ length: 40 }, async (_, n) => {
        const conversationId = conversationIds[(i + n) % 2]!;
        return client.ask('mark-read', { conversationId, seq: ((n * 7 + i) % 20) + 1 });
      }),
    );
    const changes = [0, 1, 0].map(async (node, i) => {
      const path = `/v1/conversations/${conversationIds[i % 2]}/participants`;
      const { status } = await rest(cluster.url(node), owner, 'POST', path, { userIds: [`${owner}-new-${i}`] });
      expect(status).toBe(201);
    });
    const sends = conversationIds.map((id) => send(sender, id, 20));
    await Promise.all([...marks, ...changes, ...sends]);
    for (const userId of userIds) {
      for (const id of conversationIds) {
        const [deliveredSeq, readSeq] = await cursorsOf(userId, owner, id);
        expect(readSeq).toBe(deliveredSeq);
        expect(readSeq).toBeGreaterThan(0);
      }
    }
  });
});

describe('readReceipts: false', () => {
  const choose = (userId: string, readReceipts: boolean, node: number) =>
    rest(cluster.url(node), userId, 'PATCH', '/v1/me', { privacy: { readReceipts } });

  it('hides one’s own read cursor from others, who see delivered, and not from oneself', async () => {
    const { conversationId, alice, bob } = await pair();
    const tablet = await cluster.connect(bob.userId, 0, { ...manually, deviceId: 'tablet' });
    await choose(bob.userId, false, 1);
    const [message] = await send(alice, conversationId);
    await bob.ask('mark-read', { conversationId, seq: 1 });
    await tablet.waitFor('messages-read');
    await quiet(cluster, conversationId, alice);
    expect(receiptsHeardBy(alice)).toEqual([['message-delivered', bob.userId, 1]]);
    expect(await cursorsOf(bob.userId, alice.userId, conversationId)).toEqual([1, 0]);
    expect(await cursorsOf(bob.userId, bob.userId, conversationId)).toEqual([1, 1]);
    const status = await alice.ask('get-message-status', message!.id);
    expect(status).toMatchObject({ status: 'delivered', deliveredTo: [{ userId: bob.userId }], readBy: [] });
    const own = await bob.ask('get-message-status', message!.id);
    expect(own).toMatchObject({ status: 'read', readBy: [{ userId: bob.userId }] });
  });

  it('hides others’ from oneself, and counts at once on every node, both ways', async () => {
    const { conversationId, alice, bob } = await pair();
    const [message] = await send(alice, conversationId);
    await bob.ask('mark-read', { conversationId, seq: 1 });
    await alice.waitFor('messages-read');
    expect(await alice.ask('get-message-status', message!.id)).toMatchObject({ status: 'read' });
    await choose(alice.userId, false, 0);
    expect(await cursorsOf(bob.userId, alice.userId, conversationId, 0)).toEqual([1, 0]);
    expect(await alice.ask('get-message-status', message!.id)).toMatchObject({ status: 'delivered', readBy: [] });
    alice.forget();
    await send(alice, conversationId);
    await bob.ask('mark-read', { conversationId, seq: 2 });
    await quiet(cluster, conversationId, alice);
    expect(receiptsHeardBy(alice)).toEqual([['message-delivered', bob.userId, 2]]);
    await choose(alice.userId, true, 1);
    await expect.poll(() => cursorsOf(bob.userId, alice.userId, conversationId, 0)).toEqual([2, 2]);
    expect(await alice.ask('get-message-status', message!.id)).toMatchObject({ status: 'read' });
  });

  it('concerns only those of a group who chose it', async () => {
    const { alice: a, bob: b, carol: c, dave: d } = someUsers('alice', 'bob', 'carol', 'dave');
    const conversationId = await groupConversation(cluster.url(), a, [b, c, d]);
    const [alice, bob, carol, dave] = await Promise.all(
      [a, b, c, d].map((userId, i) => cluster.connect(userId, i, manually)),
    );
    for (const client of [alice, bob, carol, dave]) await client!.ask('join-conversation', conversationId);
    await choose(c, false, 0);
    const [message] = await send(alice!, conversationId);
    for (const client of [bob, carol, dave]) await client!.ask('mark-read', { conversationId, seq: 1 });
    await alice!.waitFor('messages-read', ({ userId }) => userId === d);
    await quiet(cluster, conversationId, alice!, bob!, carol!, dave!);
    const readers = (client: typeof alice) => client!.of('messages-read').map(({ userId }) => userId);
    expect([alice, bob, carol, dave].map(readers)).toEqual([[b, d], [d], [], [b]]);
    const { status, readBy, deliveredTo } = await alice!.ask('get-message-status', message!.id);
    expect(status).toBe('delivered');
    expect(readBy.map(({ userId }: { userId: string }) => userId)).toEqual([b, d]);
    expect(deliveredTo).toHaveLength(3);
  });
});
