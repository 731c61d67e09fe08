import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import pg from 'pg';
import { afterEach, describe, expect, it } from 'vitest';
import type { Message } from '../../src/common/index.js';
import { open, rest, TestClient } from '../support/client.js';
import { TestCluster, type TestNode } from '../support/cluster.js';
import { groupConversation } from '../support/conversations.js';
import { range } from '../support/hearing.js';
import { TcpProxy } from '../support/tcp-proxy.js';
import { atMost, eventually } from '../setup/patience.js';

const exitLimitMs = 10_000;

let cluster: TestCluster | undefined;
const ways: TcpProxy[] = [];

afterEach(async () => {
  // First: a database is not dropped while a frozen way keeps a connection to it.
  for (const way of ways.splice(0)) await way.close();
  await cluster?.stop();
});

async function endOf(node: TestNode): Promise<{ code: number | null; elapsedMs: number }> {
  const startedAt = performance.now();
  const [code] = (await once(node.process!, 'exit')) as [number | null];
  return { code, elapsedMs: performance.now() - startedAt };
}

async function readiness(node: TestNode): Promise<number | null> {
  return fetch(`${node.url}/health/ready`).then(
    ({ status }) => status,
    () => null,
  );
}

describe('on SIGTERM a node', () => {
  it('turns red, takes no new sockets, acks what is under way, moves its clients and exits with 0', async () => {
    cluster = await TestCluster.start({ processes: true, settings: { drainJitterMs: 2_000 } });
    const [leaving, staying] = cluster.nodes as [TestNode, TestNode];
    const conversationId = await groupConversation(
      staying.url,
      'd-watcher',
      range(1, 10).map((i) => `d-${i}`),
    );
    const watcher = await cluster.connect('d-watcher', 1);
    // In front of both, as a load balancer that learns late: it leads new connections to the node
    // that is leaving for as long as that one listens.
    const balancer = await TcpProxy.start(leaving.url);
    ways.push(balancer);
    const clients: TestClient[] = [];
    for (const i of range(1, 10)) clients.push(await open(balancer.url, `d-${i}`, { reconnection: true }));
    for (const client of clients) await client.waitFor('session-ready');
    const reasons: string[] = [];
    for (const { socket } of clients) socket.on('disconnect', (reason) => reasons.push(reason));

    let isOver = false;
    const acked: Message[] = [];
    const unanswered = new Set<string>();
    const load = clients.map(async (client, n) => {
      for (let i = 0; !isOver; i++) {
        const key = `${n} ${i}`;
        const request = { conversationId, content: { text: key }, clientMessageId: key };
        // What was on its way when the transport closed has no answer, and must not have been
        // stored either.
        await client.ask<{ message: Message }>('send-message', request).then(
          ({ message }) => acked.push(message),
          (error: Error & { code?: string }) => error.code === undefined && unanswered.add(key),
        );
        await pause(20);
      }
    });
    await pause(500);

    const end = endOf(leaving);
    leaving.process!.kill('SIGTERM');
    await eventually(async () => expect(await readiness(leaving)).toBe(503), { timeout: 1_000, interval: 20 });
    for (const transport of ['websocket', 'polling'] as const) {
      const late = await open(leaving.url, 'd-late', { transports: [transport], reconnection: true });
      await once(late.socket as unknown as NodeJS.EventEmitter, 'connect_error');
      // After a refusal by the namespace a stock client would not try again.
      expect(late.socket.active).toBe(true);
      late.close();
    }
    const { code, elapsedMs } = await end;
    balancer.retarget(staying.url);
    expect(code).toBe(0);
    expect(elapsedMs).toBeLessThan(atMost(exitLimitMs));
    for (const client of clients) await eventually(() => expect(client.socket.connected).toBe(true), 10_000);
    await pause(500);
    isOver = true;
    await Promise.all(load);
    expect(new Set(reasons)).toEqual(new Set(['transport close']));
    await eventually(() => {
      const heard = watcher.of<Message>('new-message');
      const ids = new Set(heard.map(({ id }) => id));
      expect(acked.filter(({ id }) => !ids.has(id))).toEqual([]);
      expect(heard.filter(({ clientMessageId }) => unanswered.has(clientMessageId!))).toEqual([]);
    }, 10_000);
    expect(acked.length).toBeGreaterThan(100);
    for (const client of clients) client.close();
  });

  it('answers the REST requests under way, and sends their clients elsewhere', async () => {
    cluster = await TestCluster.start({ processes: true, nodes: 1 });
    const [node] = cluster.nodes as [TestNode];
    const conversationId = await groupConversation(node.url, 'r-alice', ['r-bob']);
    const other = new pg.Client({ connectionString: cluster.database.url });
    await other.connect();
    await other.query('BEGIN');
    await other.query('SELECT 1 FROM conversations WHERE id = $1 FOR UPDATE', [conversationId]);
    const path = `/v1/conversations/${conversationId}/messages`;
    const underWay = rest(node.url, 'r-alice', 'POST', path, { content: { text: 'under way' } });
    await pause(300);
    const end = endOf(node);
    node.process!.kill('SIGTERM');
    await pause(800);
    await other.query('COMMIT');
    const { status, headers } = await underWay;
    expect(status).toBe(201);
    expect(headers.get('connection')).toBe('close');
    expect((await end).code).toBe(0);
    await other.end();
  });

  it('takes a second SIGTERM for the same', async () => {
    cluster = await TestCluster.start({ processes: true, nodes: 1 });
    const [node] = cluster.nodes as [TestNode];
    await cluster.connect('t-alice');
    const end = endOf(node);
    node.process!.kill('SIGTERM');
    await pause(50);
    node.process!.kill('SIGTERM');
    expect((await end).code).toBe(0);
  });

  it.each(['gone', 'hung'] as const)(
    'exits in time, too, with Redis and Postgres %s',
    async (how) => {
      cluster = await TestCluster.start({ processes: true, nodes: 0 });
      const [redis, postgres] = [await TcpProxy.start(cluster.redis!.url), await TcpProxy.start(cluster.database.url)];
      ways.push(redis, postgres);
      const node = await cluster.addNode({ redisUrl: redis.url, databaseUrl: postgres.url });
      const conversationId = await groupConversation(node.url, 'x-alice', ['x-bob']);
      const alice = await cluster.connect('x-alice');
      await alice.ask('send-message', { conversationId, content: { text: 'before' } });
      for (const way of [redis, postgres]) await (how === 'gone' ? way.close() : way.freeze());
      const underWay = alice.refused('send-message', { conversationId, content: { text: 'under way' } });
      await pause(100);
      const end = endOf(node);
      node.process!.kill('SIGTERM');
      expect(await underWay).toMatchObject({ code: 'UNAVAILABLE' });
      const { code, elapsedMs } = await end;
      expect(elapsedMs).toBeLessThan(atMost(exitLimitMs));
      expect(code).toBe(0);
    },
    60_000,
  );
});
