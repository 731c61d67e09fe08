import { setTimeout as pause } from 'node:timers/promises';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import type { ErrorBody, Message } from '../../src/common/index.js';
import { ConnectionRegistry, type Connection } from '../../src/realtime/index.js';
import { open, tokenFor, type TestClient } from '../support/client.js';
import { TestCluster } from '../support/cluster.js';
import { directConversation, groupConversation } from '../support/conversations.js';
import { range } from '../support/hearing.js';
import { RawSocket } from '../support/raw-socket.js';
import { TcpProxy } from '../support/tcp-proxy.js';
import { atMost, isQuiet, eventually } from '../setup/patience.js';

const text = (words: string) => ({ content: { text: words } });

interface EngineSocket {
  writeBuffer: { data?: string }[];
  transport: { name: string; socket?: { bufferedAmount: number } };
}

function unreadBytes(connection: Connection): number {
  const socket = connection.socket.conn as unknown as EngineSocket;
  const waiting = socket.writeBuffer.reduce((sum, { data }) => sum + (data?.length ?? 0), 0);
  return waiting + (socket.transport.socket?.bufferedAmount ?? 0);
}

describe('packets that are no events', () => {
  let cluster: TestCluster;

  beforeAll(async () => {
    cluster = await TestCluster.start({ redis: false });
  });

  afterAll(() => cluster?.stop());

  // Answered by the WebSocket library itself, whether the answers are read or not.
  it.each(['signed in', 'not signed in'])('end the connection that floods with ping frames, %s', async (who) => {
    const raw =
      who === 'signed in' ? await RawSocket.connect(cluster.url(), 'ping-flood') : await RawSocket.open(cluster.url());
    raw.socket.pause();
    for (let i = 0; i < 1_000; i++) raw.socket.ping('x'.repeat(125));
    await pause(50);
    raw.socket.resume();
    await raw.closes();
  });

  it('end the connection of a poller that opens a WebSocket to flood it and does not go over', async () => {
    const address = `${cluster.url()}/socket.io/?EIO=4&transport=polling`;
    const { sid } = JSON.parse((await (await fetch(address)).text()).slice(1)) as { sid: string };
    const raw = await RawSocket.open(cluster.url(), {}, `&sid=${sid}`);
    for (let i = 0; i < 1_000; i++) raw.socket.ping();
    await raw.closes();
  });

  it.each(['40/nowhere,{}', '3', '6', '431[1]'])('end the connection that floods with %s', async (packet) => {
    const raw = await RawSocket.connect(cluster.url(), 'packet-flood');
    for (let i = 0; i < 1_000; i++) raw.send(packet);
    await raw.closes();
  });

  it('are let pass at the pace of a client that means well', async () => {
    const raw = await RawSocket.connect(cluster.url(), 'packet-pace');
    for (let i = 0; i < 50; i++) {
      raw.socket.ping();
      raw.send('3');
      await pause(2);
    }
    raw.send('421["heartbeat"]');
    expect((await raw.answer(1)).ok).toBe(true);
    raw.close();
  });
});

describe('a slow reader', () => {
  const maxSocketBufferBytes = 262_144;
  // Four times the limit, where there is no grace, and one packet.
  const bound = 4 * maxSocketBufferBytes + 20_000;
  const largest = 'x'.repeat(9_900);
  let cluster: TestCluster;
  let registry: ConnectionRegistry;

  beforeAll(async () => {
    cluster = await TestCluster.start({ redis: false, settings: { maxSocketBufferBytes } });
    registry = cluster.nodes[0]!.app!.get(ConnectionRegistry);
  });

  afterAll(() => cluster?.stop());

  async function connectionOf(userId: string): Promise<Connection> {
    return eventually(() => {
      const [connection] = registry.ofUser(userId);
      expect(connection).toBeDefined();
      return connection!;
    });
  }

  /** A WebSocket that says hello and then reads no more. */
  async function deafWebSocket(userId: string): Promise<WebSocket> {
    const url = `${cluster.url().replace('http', 'ws')}/socket.io/?EIO=4&transport=websocket`;
    const socket = new WebSocket(url);
    socket.on('error', () => undefined);
    socket.once('open', () => void tokenFor(userId).then((token) => socket.send(`40${JSON.stringify({ token })}`)));
    await connectionOf(userId);
    socket.pause();
    return socket;
  }

  async function deafPoller(userId: string): Promise<void> {
    const url = `${cluster.url()}/socket.io/?EIO=4&transport=polling`;
    const { sid } = JSON.parse((await (await fetch(url)).text()).slice(1)) as { sid: string };
    const body = `40${JSON.stringify({ token: await tokenFor(userId) })}`;
    await fetch(`${url}&sid=${sid}`, { method: 'POST', body });
    await connectionOf(userId);
  }

  /**
   * Floods a group of which one participant does not read. @returns the most that was ever unread
   * at that one
   */
  async function flood(name: string): Promise<number> {
    const conversationId = await groupConversation(cluster.url(), `${name}-alice`, [`${name}-bob`, `${name}-deaf`]);
    const [alice, bob] = await Promise.all([cluster.connect(`${name}-alice`), cluster.connect(`${name}-bob`)]);
    const connection = await connectionOf(`${name}-deaf`);
    let most = 0;
    const watch = setInterval(() => (most = Math.max(most, unreadBytes(connection))), 2);
    const count = 1_000;
    for (let sent = 0; sent < count; sent += 50) {
      await Promise.all(range(1, 50).map(() => alice.ask('send-message', { conversationId, ...text(largest) })));
    }
    clearInterval(watch);
    expect(connection.isOpen).toBe(false);
    expect(registry.ofUser(`${name}-deaf`).size).toBe(0);
    await bob.waitForCount('new-message', count);
    expect(bob.socket.connected).toBe(true);
    return most;
  }

  it('on WebSocket is cut at a bounded buffer, and others hear everything', async () => {
    const deaf = await deafWebSocket('ws-deaf');
    expect(await flood('ws')).toBeLessThan(bound);
    const closed = new Promise((resolve) => deaf.once('close', resolve));
    deaf.resume();
    await closed;
  });

  it('on long polling is cut at a bounded buffer', async () => {
    await deafPoller('poll-deaf');
    expect(await flood('poll')).toBeLessThan(bound);
  });

  it('is cut within one turn of the event loop, too', async () => {
    const client = await cluster.connect('turn-deaf');
    const connection = await connectionOf('turn-deaf');
    let most = 0;
    for (let i = 0; i < 200; i++) {
      connection.emit('flood', largest);
      most = Math.max(most, unreadBytes(connection));
    }
    expect(most).toBeLessThan(bound);
    expect(connection.isOpen).toBe(false);
    await eventually(() => expect(client.socket.connected).toBe(false));
  });

  it('is not somebody who gets one answer above the limit and reads it', async () => {
    const client = await cluster.connect('large-reader');
    (await connectionOf('large-reader')).emit('large', 'x'.repeat(3 * maxSocketBufferBytes));
    await client.waitFor('large');
    await client.ask('heartbeat');
  });
});

describe('rates', () => {
  it('hold for a user over all nodes', async () => {
    const cluster = await TestCluster.start({ settings: { rateMessagesPerSecond: 1, rateMessagesBurst: 40 } });
    try {
      const conversationId = await directConversation(cluster.url(), 'alice', 'bob');
      const sockets = await Promise.all([cluster.connect('alice'), cluster.connect('alice', 1)]);
      const startedAt = performance.now();
      const outcomes = await Promise.allSettled(
        range(0, 119).map((i) => sockets[i % 2]!.ask('send-message', { conversationId, ...text(`${i}`) })),
      );
      const accepted = outcomes.filter((one) => one.status === 'fulfilled').length;
      const refilled = Math.ceil((performance.now() - startedAt) / 1_000);
      expect(accepted).toBeGreaterThanOrEqual(40);
      expect(accepted).toBeLessThanOrEqual(40 + refilled);
      for (const one of outcomes) {
        if (one.status === 'rejected') expect(one.reason).toMatchObject({ code: 'RATE_LIMITED', retryable: true });
      }
    } finally {
      await cluster.stop();
    }
  });

  it('end with a disconnect for a socket that goes on and on', async () => {
    const cluster = await TestCluster.start({
      redis: false,
      settings: { rateEventsPerSecond: 5, rateEventsBurst: 10 },
    });
    try {
      const [flooder, other] = await Promise.all([cluster.connect('flooder'), cluster.connect('other')]);
      const gone = new Promise<string>((resolve) => flooder.socket.once('disconnect', resolve));
      const refused = await Promise.all(range(1, 20).map(() => flooder.socket.timeout(2_000).emitWithAck('heartbeat')));
      expect(refused.filter((ack: { ok: boolean }) => ack.ok).length).toBe(10);
      for (let i = 0; i < 150; i++) flooder.socket.emit('heartbeat');
      expect(await gone).toBe('io server disconnect');
      expect(flooder.of('error').at(-1)).toMatchObject({ code: 'RATE_LIMITED', retryAfterMs: expect.any(Number) });
      await other.ask('heartbeat');
    } finally {
      await cluster.stop();
    }
  });

  it('let handshakes above theirs wait a while, and then refuse them with a time', async () => {
    const cluster = await TestCluster.start({
      redis: false,
      settings: { handshakesPerSecond: 10, handshakesBurst: 5 },
    });
    try {
      const clients = await Promise.all(range(1, 40).map((i) => open(cluster.url(), `h-${i}`)));
      const outcomes = await Promise.all(
        clients.map(
          ({ socket }) =>
            new Promise<string>((resolve) => {
              socket.once('connect', () => resolve('ok'));
              socket.once('connect_error', (error: Error & { data?: { code: string; retryAfterMs: number } }) =>
                resolve(error.data!.retryAfterMs > 0 ? error.data!.code : ''),
              );
            }),
        ),
      );
      clients.forEach((client) => client.close());
      expect(outcomes.filter((outcome) => outcome === 'ok').length).toBeGreaterThanOrEqual(15);
      expect(outcomes.filter((outcome) => outcome === 'RATE_LIMITED').length).toBeGreaterThanOrEqual(5);
    } finally {
      await cluster.stop();
    }
  });
});

describe('Postgres under load', () => {
  let cluster: TestCluster;
  let way: TcpProxy;
  let alice: TestClient;

  beforeAll(async () => {
    cluster = await TestCluster.start({ nodes: 0 });
    way = await TcpProxy.start(cluster.database.url);
    await cluster.addNode({ databaseUrl: way.url });
    alice = await cluster.connect('l-alice');
  });

  afterAll(async () => {
    await cluster?.stop();
    await way?.close();
  });

  it('a locked conversation waits by itself: the others go on, its own are refused in time and keep their order', async () => {
    const locked = await directConversation(cluster.url(), 'l-alice', 'l-bob');
    const free = await Promise.all(range(1, 5).map((i) => directConversation(cluster.url(), 'l-alice', `l-free${i}`)));
    const holder = new pg.Client({ connectionString: cluster.database.url });
    await holder.connect();
    await holder.query('BEGIN');
    await holder.query('SELECT 1 FROM conversations WHERE id = $1 FOR UPDATE', [locked]);
    const startedAt = performance.now();
    const stuck = alice.refused('send-message', { conversationId: locked, ...text('stuck') });
    const times: number[] = [];
    for (let i = 0; i < 40; i++) {
      const askedAt = performance.now();
      await alice.ask('send-message', { conversationId: free[i % free.length]!, ...text(`${i}`) });
      times.push(performance.now() - askedAt);
    }
    expect(Math.max(...times)).toBeLessThan(atMost(800));
    expect(times.filter((ms) => ms > 300).length).toBeLessThanOrEqual(1);
    expect(await stuck).toMatchObject({ code: 'UNAVAILABLE', retryable: true });
    expect(performance.now() - startedAt).toBeLessThan(atMost(3_000));

    const waiting = range(1, 10).map((i) =>
      alice.ask<{ message: Message }>('send-message', { conversationId: locked, ...text(`late ${i}`) }),
    );
    await pause(700);
    await holder.query('ROLLBACK');
    await holder.end();
    const seqs = (await Promise.all(waiting)).map(({ message }) => message.seq);
    expect(seqs).toEqual(range(seqs[0]!, seqs[0]! + 9));
    const [next] = await Promise.all([alice.ask('send-message', { conversationId: locked, ...text('next') })]);
    expect(next.message.seq).toBe(seqs.at(-1)! + 1);
  });

  it('a send that would wait in vain is refused at once, and the ones that wait are stored', async () => {
    const conversationId = await directConversation(cluster.url(), 'l-alice', 'l-carol');
    await alice.ask('send-message', { conversationId, ...text('warm') });
    way.freeze();
    const first = alice.ask('send-message', { conversationId, ...text('on its way') });
    await pause(1_700);
    const askedAt = performance.now();
    const refusal = await alice.refused('send-message', { conversationId, ...text('in vain') });
    expect(performance.now() - askedAt).toBeLessThan(atMost(300));
    expect(refusal).toMatchObject({ code: 'UNAVAILABLE', retryable: true, retryAfterMs: expect.any(Number) });
    way.thaw();
    expect((await first).message.seq).toBe(2);
    expect((await alice.ask('send-message', { conversationId, ...text('again') })).message.seq).toBe(3);
  });
});

it('takes 1,000 devices at once, and what a slow machine refuses for a while, soon', async () => {
  const cluster = await TestCluster.start({ redis: false, nodes: 1, processes: true });
  const devices = await Promise.all(
    range(1, 1_000).map((i) => open(cluster.url(), `storm-${i}`, { reconnection: true })),
  );
  try {
    const refusals: ErrorBody[] = [];
    for (const { socket } of devices) {
      socket.on('connect_error', ({ data }: Error & { data?: ErrorBody }) => {
        if (data === undefined) return;
        refusals.push(data);
        setTimeout(() => socket.connect(), data.retryAfterMs ?? 0);
      });
    }
    await Promise.all(devices.map((device) => device.waitFor('session-ready', undefined, 60_000)));
    expect(refusals.filter(({ code }) => code !== 'RATE_LIMITED')).toEqual([]);
    if (isQuiet) expect(refusals).toEqual([]);
  } finally {
    devices.forEach((device) => device.close());
    await cluster.stop();
  }
});
