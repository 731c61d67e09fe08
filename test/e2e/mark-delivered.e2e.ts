import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ChatError } from '../../src/common/index.js';
import { ReceiptListeners } from '../../src/conversations/index.js';
import { rest } from '../support/client.js';
import { TestCluster } from '../support/cluster.js';
import { directConversation, groupConversation } from '../support/conversations.js';
import { manually, quiet, receiptsHeardBy, send, someUsers } from '../support/receipts.js';
import { TcpProxy } from '../support/tcp-proxy.js';
import { atMost } from '../setup/patience.js';

interface Delivered {
  conversationId: string;
  userId: string;
  deliveredSeq: number;
  deliveredAt: string;
}

/** How many statements the nodes have written receipts with. */
async function statements(cluster: TestCluster): Promise<number> {
  const pages = await Promise.all(cluster.nodes.map(async ({ url }) => (await fetch(`${url}/metrics`)).text()));
  const counts = pages.map((page) => Number(/^parley_receipt_batch_size_count (\d+)/m.exec(page)?.[1] ?? 0));
  return counts.reduce((sum, count) => sum + count, 0);
}

describe('mark-delivered', () => {
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

  it('answers with the cursor and tells all sockets of the peer, joined or not, on every node, and nobody else', async () => {
    const { conversationId, alice, bob } = await pair();
    const tablet = await cluster.connect(alice.userId, 1, { ...manually, deviceId: 'tablet' });
    const bobsPhone = await cluster.connect(bob.userId, 0, { ...manually, deviceId: 'phone' });
    await alice.ask('join-conversation', conversationId);
    await send(alice, conversationId, 3);
    expect(await bob.ask('mark-delivered', { conversationId, seq: 2 })).toEqual({ conversationId, deliveredSeq: 2 });
    const told = await alice.waitFor<Delivered>('message-delivered');
    expect(told).toEqual({
      conversationId,
      userId: bob.userId,
      deliveredSeq: 2,
      deliveredAt: expect.stringMatching(/^\d{4}-.*Z$/),
    });
    expect(Math.abs(Date.parse(told.deliveredAt) - Date.now())).toBeLessThan(atMost(5_000));
    expect(await tablet.waitFor('message-delivered')).toEqual(told);
    await quiet(cluster, conversationId, alice, tablet, bob, bobsPhone);
    expect([alice, tablet, bob, bobsPhone].map((client) => receiptsHeardBy(client).length)).toEqual([1, 1, 0, 0]);
  });

  it('answers a lower or equal one with the present cursor and tells nobody', async () => {
    const { conversationId, alice, bob } = await pair();
    await send(alice, conversationId, 5);
    await bob.ask('mark-delivered', { conversationId, seq: 4 });
    for (const seq of [4, 3, 0]) {
      expect(await bob.ask('mark-delivered', { conversationId, seq })).toEqual({ conversationId, deliveredSeq: 4 });
    }
    await quiet(cluster, conversationId, alice);
    expect(receiptsHeardBy(alice)).toEqual([['message-delivered', bob.userId, 4]]);
  });

  it('tells nobody of a lower one after a higher one, however late a node that was held up tells it', async () => {
    const way = await TcpProxy.start(cluster.redis!.url);
    const slow = cluster.nodes.indexOf(await cluster.addNode({ redisUrl: way.url }));
    try {
      const { conversationId, alice, bob } = await pair();
      const tablet = await cluster.connect(bob.userId, slow, { ...manually, deviceId: 'tablet' });
      await send(alice, conversationId, 4);
      way.freeze();
      await tablet.ask('mark-delivered', { conversationId, seq: 1 });
      await bob.ask('mark-delivered', { conversationId, seq: 3 });
      await alice.waitFor('message-delivered');
      way.thaw();
      await tablet.ask('mark-delivered', { conversationId, seq: 4 });
      await alice.waitFor<Delivered>('message-delivered', ({ deliveredSeq }) => deliveredSeq === 4);
      expect(alice.of<Delivered>('message-delivered').map(({ deliveredSeq }) => deliveredSeq)).toEqual([3, 4]);
    } finally {
      await cluster.nodes.pop()!.stop();
      await way.close();
    }
  });

  it('refuses what is above the last seq or rev, and what is no place at all', async () => {
    const { conversationId, alice, bob } = await pair();
    await send(alice, conversationId, 2);
    const wrong: [object, string][] = [
      [{ conversationId, seq: 3 }, 'seq'],
      [{ conversationId, seq: Number.MAX_SAFE_INTEGER }, 'seq'],
      [{ conversationId, seq: 2, rev: 3 }, 'rev'],
      [{ conversationId, seq: -1 }, 'seq'],
      [{ conversationId, seq: 1.5 }, 'seq'],
      [{ conversationId, seq: '1' }, 'seq'],
      [{ conversationId, seq: 1e300 }, 'seq'],
      [{ conversationId, seq: null }, 'seq'],
      [{ conversationId }, 'seq'],
      [{ conversationId, seq: 1, rev: -1 }, 'rev'],
      [{ conversationId, seq: 1, colour: 'red' }, 'colour'],
      [{ conversationId: 'x', seq: 1 }, 'conversationId'],
      [{ seq: 1 }, 'conversationId'],
    ];
    for (const [payload, path] of wrong) {
      const { code, details } = await bob.refused('mark-delivered', payload);
      expect([payload, code, details?.[0]?.path]).toEqual([payload, 'VALIDATION_FAILED', path]);
    }
    expect(await bob.ask('mark-delivered', { conversationId, seq: 0 })).toEqual({ conversationId, deliveredSeq: 0 });
  });

  it('does not let a mark above the last seq spoil others of its batch', async () => {
    const { conversationId, alice, bob } = await pair();
    await send(alice, conversationId, 3);
    const marks = [1, 9, 3, 2].map((seq) => bob.ask('mark-delivered', { conversationId, seq }).catch((e) => e.code));
    const answers = await Promise.all(marks);
    expect(answers[1]).toBe('VALIDATION_FAILED');
    expect(await bob.ask('mark-delivered', { conversationId, seq: 0 })).toEqual({ conversationId, deliveredSeq: 3 });
  });

  it('tells neither strangers nor those who have left whether there is such a conversation', async () => {
    const { alice: a, bob: b, eve: e } = someUsers('alice', 'bob', 'eve');
    const conversationId = await groupConversation(cluster.url(), a, [b]);
    const [alice, bob, eve] = await Promise.all([a, b, e].map((userId) => cluster.connect(userId, 0, manually)));
    await send(alice!, conversationId);
    await rest(cluster.url(), b, 'DELETE', `/v1/conversations/${conversationId}/participants/${b}`);
    const refusals = [
      await eve!.refused('mark-delivered', { conversationId, seq: 1 }),
      await bob!.refused('mark-delivered', { conversationId, seq: 1 }),
      await eve!.refused('mark-delivered', { conversationId: randomUUID(), seq: 1 }),
    ].map(({ requestId: _, ...body }) => body);
    expect(refusals[0]).toMatchObject({ code: 'NOT_FOUND' });
    expect(refusals[1]).toEqual(refusals[0]);
    expect(refusals[2]).toEqual(refusals[0]);
  });

  it('tells those sockets of a group that have joined it, on every node', async () => {
    const users = someUsers('alice', 'bob', 'carol');
    const { alice: a, bob: b, carol: c } = users;
    const conversationId = await groupConversation(cluster.url(), a, [b, c]);
    const alice = await cluster.connect(a, 0, manually);
    const [bob, bobsTablet] = [
      await cluster.connect(b, 0, manually),
      await cluster.connect(b, 1, { ...manually, deviceId: 'tablet' }),
    ];
    const [carol, carolsTablet] = [
      await cluster.connect(c, 1, manually),
      await cluster.connect(c, 0, { ...manually, deviceId: 'tablet' }),
    ];
    for (const client of [alice, bob, bobsTablet, carol]) await client.ask('join-conversation', conversationId);
    await send(alice, conversationId);
    await bob.ask('mark-delivered', { conversationId, seq: 1 });
    await Promise.all([alice, carol].map((client) => client.waitFor('message-delivered')));
    await quiet(cluster, conversationId, alice, bob, bobsTablet, carol, carolsTablet);
    const heard = [alice, carol, bob, bobsTablet, carolsTablet].map((client) => receiptsHeardBy(client).length);
    expect(heard).toEqual([1, 1, 0, 0, 0]);
  });

  it('only grows when many sockets mark at once, and writes them with few statements', async () => {
    const { conversationId, alice, bob } = await pair();
    await send(alice, conversationId, 100);
    const bobs = [
      bob,
      ...(await Promise.all(
        [0, 1, 0].map((node, i) => cluster.connect(bob.userId, node, { ...manually, deviceId: `d${i}` })),
      )),
    ];
    const before = await statements(cluster);
    const answers = await Promise.all(
      Array.from({ length: 100 }, (_, i) => i + 1).map(async (seq) => {
        const answer = await bobs[seq % 4]!.ask<Delivered>('mark-delivered', { conversationId, seq });
        return answer.deliveredSeq >= seq;
      }),
    );
    expect(answers.every(Boolean)).toBe(true);
    expect((await statements(cluster)) - before).toBeLessThan(50);
    await alice.waitFor<Delivered>('message-delivered', ({ deliveredSeq }) => deliveredSeq === 100);
    const { rows } = await sql.query<{ seq: string }>(
      `SELECT seq FROM receipt_log WHERE conversation_id = $1 AND user_id = $2 AND kind = 'delivered' ORDER BY at, seq`,
      [conversationId, bob.userId],
    );
    const logged = rows.map(({ seq }) => Number(seq));
    expect(logged).toEqual([...logged].sort((a, b) => a - b));
    const told = alice.of<Delivered>('message-delivered').map(({ deliveredSeq }) => deliveredSeq);
    // What another node had overtaken is not told any more.
    expect(told).toEqual(logged.filter((seq) => told.includes(seq)));
    expect(told.at(-1)).toBe(100);
  });

  it('tells a group of more than a hundred at most once a second, first and last', async () => {
    const { alice: a, bob: b } = someUsers('alice', 'bob');
    const others = Array.from({ length: 99 }, (_, i) => `${b}-${i}`);
    const conversationId = await groupConversation(cluster.url(), a, [b, ...others]);
    const [alice, bob] = [await cluster.connect(a, 0, manually), await cluster.connect(b, 1, manually)];
    await alice.ask('join-conversation', conversationId);
    await send(alice, conversationId, 20);
    const startedMs = Date.now();
    for (let seq = 1; seq <= 20; seq++) await bob.ask('mark-delivered', { conversationId, seq });
    const tookMs = Date.now() - startedMs;
    await alice.waitFor<Delivered>('message-delivered', ({ deliveredSeq }) => deliveredSeq === 20);
    const told = receiptsHeardBy(alice);
    expect(told[0]).toEqual(['message-delivered', b, 1]);
    expect(told.length).toBeLessThanOrEqual(2 + Math.floor(tookMs / 1_000));
  });

  it('keeps the rev up to which changes have arrived', async () => {
    const { conversationId, alice, bob } = await pair();
    await send(alice, conversationId, 3);
    await bob.ask('mark-delivered', { conversationId, seq: 1, rev: 3 });
    await bob.ask('mark-delivered', { conversationId, seq: 2, rev: 2 });
    const { rows } = await sql.query(
      'SELECT delivered_seq::int AS seq, delivered_rev::int AS rev FROM participants WHERE conversation_id = $1 AND user_id = $2',
      [conversationId, bob.userId],
    );
    expect(rows).toEqual([{ seq: 2, rev: 3 }]);
  });

  it('tells listeners what the device says it has got, before the answer', async () => {
    const { conversationId, alice, bob } = await pair();
    await send(alice, conversationId, 3);
    const told: unknown[] = [];
    cluster.nodes[1]!.app!.get(ReceiptListeners).onDelivered((actor, id, seq, rev) => {
      if (id !== conversationId) return;
      if (seq === 2) throw new ChatError('UNAVAILABLE');
      told.push([actor.userId, actor.deviceId, seq, rev]);
    });
    await bob.ask('mark-delivered', { conversationId, seq: 3, rev: 3 });
    expect(told).toEqual([[bob.userId, 'default', 3, 3]]);
    // The device may be behind the user.
    await bob.ask('mark-delivered', { conversationId, seq: 1 });
    await bob.ask('mark-read', { conversationId, seq: 1 });
    expect(told.slice(1)).toEqual(Array.from({ length: 2 }, () => [bob.userId, 'default', 1, null]));
    expect(await bob.refused('mark-delivered', { conversationId, seq: 2 })).toMatchObject({ code: 'UNAVAILABLE' });
  });
});
