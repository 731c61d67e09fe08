import { setTimeout as pause } from 'node:timers/promises';
import { Redis } from 'ioredis';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Message } from '../../src/common/index.js';
import { groupConversation } from '../support/conversations.js';
import { rest, type TestClient } from '../support/client.js';
import { TestCluster } from '../support/cluster.js';
import { range, sendTexts, seqsHeard } from '../support/hearing.js';
import { TcpProxy } from '../support/tcp-proxy.js';
import type { TestRedis } from '../setup/services.js';
import { atMost, eventually } from '../setup/patience.js';

const answerLimitMs = 3_000;

async function administer(redis: TestRedis, ...command: [string, ...string[]]): Promise<void> {
  const admin = new Redis(redis.url, { maxRetriesPerRequest: 1 });
  await admin.call(...command);
  admin.disconnect();
}

async function isReady(url: string): Promise<boolean> {
  return (await fetch(`${url}/health/ready`)).status === 200;
}

describe('without Redis', () => {
  let cluster: TestCluster;
  let way: TcpProxy;
  let conversationId: string;
  let alice: TestClient;
  let carol: TestClient;
  let bob: TestClient;

  beforeAll(async () => {
    cluster = await TestCluster.start({ nodes: 1 });
    way = await TcpProxy.start(cluster.redis!.url);
    await cluster.addNode({ redisUrl: way.url });
    conversationId = await groupConversation(cluster.url(), 'r-alice', ['r-bob', 'r-carol']);
    [alice, carol, bob] = await Promise.all([
      cluster.connect('r-alice'),
      cluster.connect('r-carol'),
      cluster.connect('r-bob', 1),
    ]);
  });

  afterAll(async () => {
    await cluster?.stop();
    await way?.close();
  });

  const outages: {
    name: string;
    begin: () => Promise<unknown> | void;
    end: () => Promise<unknown> | void;
    lastsMs?: number;
  }[] = [
    { name: 'dead', begin: () => cluster.redis!.kill('SIGKILL'), end: () => cluster.redis!.restart() },
    {
      name: 'hung',
      begin: () => cluster.redis!.kill('SIGSTOP'),
      end: () => cluster.redis!.kill('SIGCONT'),
      lastsMs: 5_000,
    },
    { name: 'emptied', begin: () => cluster.redis!.flushAll(), end: () => undefined },
    {
      name: 'read-only',
      begin: () => administer(cluster.redis!, 'REPLICAOF', '127.0.0.1', '1'),
      end: () => administer(cluster.redis!, 'REPLICAOF', 'NO', 'ONE'),
      lastsMs: 2_000,
    },
    {
      name: 'full',
      begin: () => administer(cluster.redis!, 'CONFIG', 'SET', 'maxmemory', '1'),
      end: () => administer(cluster.redis!, 'CONFIG', 'SET', 'maxmemory', '0'),
      lastsMs: 2_000,
    },
    { name: 'out of reach of one node', begin: () => way.close(), end: () => way.open(), lastsMs: 2_000 },
    { name: 'frozen for one node', begin: () => way.freeze(), end: () => way.thaw(), lastsMs: 5_000 },
  ];

  it.each(outages)(
    'Redis $name: sends are acked and heard on the node, the other node hears all in order later',
    async ({ begin, end, lastsMs = 1_000 }) => {
      const [first] = await sendTexts(alice, conversationId, ['before']);
      await bob.waitFor<Message>('new-message', (message) => message.seq === first!.seq);
      for (const client of [alice, bob, carol]) client.forget();

      await begin();
      const beganAt = performance.now();
      const during = await sendTexts(alice, conversationId, range(1, 15).map(String));
      const groupId = await groupConversation(cluster.url(), 'r-alice', ['r-bob', 'r-carol']);
      await sendTexts(alice, groupId, ['in a new group']);
      await pause(Math.max(0, lastsMs - (performance.now() - beganAt)));
      during.push(...(await sendTexts(alice, conversationId, range(16, 20).map(String))));
      const fromBob = await sendTexts(bob, conversationId, ['from the other node']);
      await eventually(() =>
        expect(seqsHeard(carol, conversationId)).toEqual(expect.arrayContaining(during.map((m) => m.seq))),
      );
      await carol.waitFor('conversation-created', ({ id }: { id: string }) => id === groupId);

      await end();
      const [last] = await sendTexts(alice, conversationId, ['after']);
      await bob.waitFor<Message>('new-message', (message) => message.seq === last!.seq, 15_000);
      await bob.waitFor('conversation-created', ({ id }: { id: string }) => id === groupId, 15_000);
      await bob.waitFor<Message>('new-message', (message) => message.conversationId === groupId, 15_000);
      await alice.waitFor<Message>('new-message', (message) => message.seq === fromBob[0]!.seq, 15_000);
      const expected = range(during[0]!.seq, last!.seq).filter((seq) => seq !== fromBob[0]!.seq);
      // Filled from Postgres, a hole may bring back what bob sent himself: repeats are dropped by
      // (id, rev).
      const heard = seqsHeard(bob, conversationId).filter((seq) => seq !== fromBob[0]!.seq);
      expect(heard).toEqual(expected);
      await eventually(async () => expect(await isReady(cluster.url(1))).toBe(true), { timeout: 10_000 });
      for (const client of [alice, bob, carol]) expect(client.socket.connected).toBe(true);
    },
    40_000,
  );
});

describe('without Postgres', () => {
  let cluster: TestCluster;
  let way: TcpProxy;
  let admin: pg.Client;
  let conversationId: string;
  let alice: TestClient;
  let bob: TestClient;

  beforeAll(async () => {
    cluster = await TestCluster.start({ nodes: 0 });
    way = await TcpProxy.start(cluster.database.url);
    await cluster.addNode({ databaseUrl: way.url, databasePoolSize: 4 });
    await cluster.addNode();
    admin = new pg.Client({ connectionString: cluster.database.url });
    await admin.connect();
    conversationId = await groupConversation(cluster.url(), 'p-alice', ['p-bob']);
    [alice, bob] = await Promise.all([cluster.connect('p-alice'), cluster.connect('p-bob', 1)]);
  });

  afterAll(async () => {
    await admin?.end();
    await cluster?.stop();
    await way?.close();
  });

  afterEach(async () => {
    const { rows } = await admin.query<{ seqs: string[] }>(
      'SELECT array_agg(seq ORDER BY seq) AS seqs FROM messages WHERE conversation_id = $1',
      [conversationId],
    );
    const seqs = (rows[0]!.seqs ?? []).map(Number);
    expect(seqs).toEqual(range(1, seqs.length));
  });

  async function refusedInTime(text: string): Promise<void> {
    const askedAt = performance.now();
    const error = await alice.refused('send-message', { conversationId, content: { text } });
    expect(error).toMatchObject({ code: 'UNAVAILABLE', retryable: true });
    expect(performance.now() - askedAt).toBeLessThan(atMost(answerLimitMs + 100));
  }

  async function restRefusedInTime(): Promise<void> {
    const askedAt = performance.now();
    const path = `/v1/conversations/${conversationId}/messages`;
    const { status, body } = await rest(cluster.url(), 'p-alice', 'POST', path, { content: { text: 'by REST' } });
    expect([status, body.code]).toEqual([503, 'UNAVAILABLE']);
    expect(performance.now() - askedAt).toBeLessThan(atMost(answerLimitMs + 200));
  }

  /** The link is alive, and so is what needs nothing of Postgres that is not in memory. */
  async function goesOn(): Promise<void> {
    const before = [...alice.of('session-ready'), ...alice.of('heartbeat-ack')].at(-1) as { syncToken: string };
    const pulse = await alice.ask<{ serverTime: string; syncToken: string }>('heartbeat');
    expect(pulse.syncToken).toBe(before.syncToken);
    expect(Math.abs(Date.parse(pulse.serverTime) - Date.now())).toBeLessThan(atMost(1_000));
    await alice.ask('typing-start', conversationId);
  }

  async function resumes(): Promise<void> {
    const text = `resumed ${Date.now()}`;
    const attempt = () => alice.ask('send-message', { conversationId, content: { text }, clientMessageId: text });
    const { message } = await eventually(attempt, { timeout: 10_000, interval: 100 });
    await bob.waitFor<Message>('new-message', (heard) => heard.id === message.id, 10_000);
    expect([alice.socket.connected, bob.socket.connected]).toEqual([true, true]);
    await eventually(async () => expect(await isReady(cluster.url())).toBe(true), { timeout: 10_000 });
  }

  it('slow: who was answered that the outcome is unknown hears what became of it', async () => {
    const impatient = await cluster.addNode({ databaseUrl: way.url, eventTimeoutMs: 700 });
    const carol = await cluster.connect('p-alice', cluster.nodes.indexOf(impatient), { deviceId: 'impatient' });
    const { message } = await carol.ask('send-message', { conversationId, content: { text: 'to be deleted' } });
    const deleted = carol.refused('delete-message', { messageId: message.id });
    const sent = carol.refused('send-message', { conversationId, content: { text: 'late' } });
    way.freeze();
    expect((await Promise.all([deleted, sent])).map(({ code }) => code)).toEqual(['UNAVAILABLE', 'UNAVAILABLE']);
    way.thaw();
    await carol.waitFor('message-deleted', ({ messageId }) => messageId === message.id);
    await carol.waitFor<Message>('new-message', ({ content }) => content?.['text'] === 'late');
    carol.close();
  });

  it('hung: sends are refused within 3 s, later ones at once, and service resumes', async () => {
    way.freeze();
    await Promise.all(range(1, 10).map((n) => refusedInTime(`hung ${n}`)));
    await restRefusedInTime();
    const askedAt = performance.now();
    await refusedInTime('known to hang');
    expect(performance.now() - askedAt).toBeLessThan(atMost(500));
    expect(await isReady(cluster.url())).toBe(false);
    await goesOn();
    way.thaw();
    await resumes();
  });

  it('restarted: connections are cut and refused for a while', async () => {
    await way.close();
    await refusedInTime('gone');
    await restRefusedInTime();
    await goesOn();
    await way.open();
    await resumes();
  });

  it('read-only: durable events are refused, reading goes on', async () => {
    const { rows } = await admin.query<{ name: string }>('SELECT current_database() AS name');
    await admin.query(`ALTER DATABASE ${rows[0]!.name} SET default_transaction_read_only = on`);
    way.cut();
    await eventually(() => refusedInTime('read-only'));
    expect((await alice.ask('get-messages', { conversationId })).messages.length).toBeGreaterThan(0);
    await admin.query(`ALTER DATABASE ${rows[0]!.name} RESET default_transaction_read_only`);
    way.cut();
    await resumes();
  });

  it('starved of connections: others hold all of the pool', async () => {
    const holder = new pg.Client({ connectionString: cluster.database.url });
    await holder.connect();
    await holder.query('BEGIN');
    await holder.query('LOCK TABLE participants, conversations, messages IN ACCESS EXCLUSIVE MODE');
    await Promise.all([...range(1, 8).map((n) => refusedInTime(`starved ${n}`)), restRefusedInTime()]);
    await holder.query('ROLLBACK');
    await holder.end();
    await resumes();
  });

  it('its backends terminated all the time: nothing acked is lost, nothing retried is doubled', async () => {
    let isOver = false;
    let ackedSoFar = 0;
    const terminating = (async () => {
      while (!isOver) {
        await admin.query(
          `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
           WHERE datname = current_database() AND application_name = 'parley'`,
        );
        // Soon, but a machine that is too slow to get anything done in that time makes progress too.
        const before = ackedSoFar;
        await pause(30);
        for (let i = 0; i < 50 && ackedSoFar === before && !isOver; i++) await pause(20);
      }
    })();
    const acked = await Promise.all(
      range(1, 60).map(async (n) => {
        const message = await sendUntilAcked(`cut ${n}`);
        ackedSoFar += 1;
        return message;
      }),
    );
    isOver = true;
    await terminating;
    const { rows } = await admin.query<{ id: string; key: string }>(
      `SELECT id, client_message_id AS key FROM messages WHERE conversation_id = $1 AND client_message_id LIKE 'cut %'`,
      [conversationId],
    );
    expect(rows.map(({ id }) => id).sort()).toEqual(acked.map(({ id }) => id).sort());
    await resumes();
    await eventually(() => {
      const heard = new Set(bob.of<Message>('new-message').map((message) => message.id));
      expect(acked.filter(({ id }) => !heard.has(id))).toEqual([]);
    }, 10_000);
  });

  async function sendUntilAcked(key: string): Promise<Message> {
    const request = { conversationId, content: { text: key }, clientMessageId: key };
    for (;;) {
      try {
        return (await alice.ask<{ message: Message }>('send-message', request)).message;
      } catch (error) {
        expect(error).toMatchObject({ code: 'UNAVAILABLE' });
        await pause(Math.random() * 100);
      }
    }
  }
});
