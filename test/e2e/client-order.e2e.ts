/**
 * The client SDK against a server that repeats, reorders, leaves out, falls silent and refuses, as
 * the test tells it.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { MemoryStorage } from '../../src/client/index.js';
import { messageOf, refusal, ScriptedServer, syncAnswer } from '../support/scripted-server.js';
import { closeAll, RecordedClient, sdk } from '../support/sdk.js';

let server: ScriptedServer;

beforeEach(async () => {
  server = await ScriptedServer.start();
});
afterEach(async () => {
  await closeAll();
  await server.stop();
});

async function online(options: Parameters<typeof sdk>[2] = {}): Promise<RecordedClient> {
  const client = sdk(server.url, 'me', options);
  await client.connect();
  await client.untilHanded('synced');
  return client;
}

/** The last event pushed, of which nothing follows. */
async function settle(client: RecordedClient): Promise<void> {
  const count = client.of('participant-added').length;
  server.push('participant-added', { conversationId: 'c9', userId: 'x', role: 'member', by: 'y' });
  await client.untilHanded('participant-added', count + 1);
}

describe('what is handed over', () => {
  it('drops repeats by (id, rev), and what is older than what was handed over', async () => {
    const client = await online();
    server.push('new-message', messageOf(1));
    server.push('new-message', messageOf(1));
    server.push('message-edited', messageOf(1, { rev: 3, content: { text: 'third' } }));
    server.push('message-edited', messageOf(1, { rev: 2, content: { text: 'second' } }));
    server.push('reaction-changed', {
      conversationId: 'c1',
      messageId: 'm1',
      rev: 2,
      userId: 'x',
      emoji: '👍',
      added: true,
    });
    server.push('message-deleted', {
      conversationId: 'c1',
      messageId: 'm1',
      seq: 1,
      rev: 4,
      deletedBy: 'x',
      deletedAt: '',
      scope: 'everyone',
    });
    server.push('message-deleted', {
      conversationId: 'c1',
      messageId: 'm1',
      seq: 1,
      rev: 4,
      deletedBy: 'x',
      deletedAt: '',
      scope: 'everyone',
    });
    server.push('new-message', messageOf(1, { rev: 3 }));
    await settle(client);
    const messages = client.handed.filter(({ event }) => /message|reaction/.test(event));
    expect(messages.map(({ event, payload }) => `${event} ${payload.rev}`)).toEqual([
      'new-message 1',
      'message-edited 3',
      'message-deleted 4',
    ]);
  });

  it('lets receipts only grow', async () => {
    const client = await online();
    for (const readSeq of [2, 2, 1, 3]) {
      server.push('messages-read', { conversationId: 'c1', userId: 'x', readSeq, readAt: '' });
    }
    await settle(client);
    expect(client.of('messages-read').map(({ readSeq }) => readSeq)).toEqual([2, 3]);
  });

  it('hands over nothing of a message the user has deleted for himself', async () => {
    const client = await online();
    server.push('new-message', messageOf(1));
    server.push('message-deleted', {
      conversationId: 'c1',
      messageId: 'm1',
      seq: 1,
      rev: 1,
      deletedBy: 'me',
      deletedAt: '',
      scope: 'me',
    });
    server.push('message-edited', messageOf(1, { rev: 2 }));
    await settle(client);
    expect(client.of('message-deleted')).toHaveLength(1);
    expect(client.of('message-edited')).toEqual([]);
  });

  it('reads what is missing before a message, and hands it over first', async () => {
    const client = await online({ pageSize: 2 });
    server.script = ({ event, payload }) => {
      if (event !== 'get-messages') return undefined;
      // 4 is hidden from this user.
      const left = [2, 3, 5, 6].filter((seq) => seq > payload.afterSeq);
      return {
        messages: left.slice(0, payload.limit).map((seq) => messageOf(seq)),
        hasMore: left.length > payload.limit,
      };
    };
    server.push('new-message', messageOf(1));
    server.push('new-message', messageOf(6));
    await client.untilHanded('new-message', 5);
    expect(client.of('new-message').map(({ seq }) => seq)).toEqual([1, 2, 3, 5, 6]);
    const asked = server.payloads('get-messages').length;
    server.push('new-message', messageOf(7));
    await settle(client);
    expect(server.payloads('get-messages')).toHaveLength(asked);
  });

  it('catches up before it hands over what comes live', async () => {
    const storage = new MemoryStorage();
    storage.setItem('parley:position', JSON.stringify({ token: 'old', isMidPass: false, at: '2020' }));
    server.script = async ({ event, payload }) => {
      if (event !== 'sync' || payload.since !== 'old') return undefined;
      // The change comes live while its message, as it was before, is still on its way.
      server.push('reaction-changed', {
        conversationId: 'c1',
        messageId: 'm1',
        rev: 9,
        userId: 'x',
        emoji: '👍',
        added: true,
      });
      await pause(50);
      return syncAnswer({ messages: [messageOf(1, { rev: 5 })] });
    };
    const client = await online({ storage });
    await client.untilHanded('reaction-changed');
    const order = client.handed.map(({ event }) => event).filter((event) => !/state/.test(event));
    expect(order).toEqual(['new-message', 'synced', 'reaction-changed']);
    expect(server.payloads('sync')[0]).toEqual({ since: 'old', limit: 200 });
  });

  it('puts a reaction on top of a change that a sync left out since it came while the sync was read', async () => {
    const storage = new MemoryStorage();
    storage.setItem('parley:position', JSON.stringify({ token: 'old', isMidPass: false, at: null }));
    const reactions = { '👍': { count: 1, userIds: ['x'] } };
    server.script = ({ event, payload }) =>
      event === 'sync' && payload.since === 'next'
        ? syncAnswer({ messages: [messageOf(1, { rev: 3, content: { text: 'edited' }, reactions })] })
        : undefined;
    const client = await online({ storage });
    server.push('reaction-changed', {
      ...{ conversationId: 'c1', messageId: 'm1', rev: 3, userId: 'x', emoji: '👍', added: true },
    });
    await settle(client);
    expect(client.texts()).toEqual(['edited']);
    expect(client.of('reaction-changed')).toEqual([]);
    expect(server.payloads('sync')).toHaveLength(2);
  });

  it('waits for a handler before it hands over the next', async () => {
    const client = await online();
    const running: number[] = [];
    let most = 0;
    client.on('new-message', async ({ seq }) => {
      running.push(seq);
      most = Math.max(most, running.length);
      await pause(10);
      running.shift();
    });
    for (const seq of [1, 2, 3]) server.push('new-message', messageOf(seq));
    await settle(client);
    expect(most).toBe(1);
  });

  it('claims nothing that comes after what a handler did not take (ackMode manual)', async () => {
    const client = await online({ ackMode: 'manual' });
    client.on('new-message', ({ seq, conversationId }) => {
      if (seq === 2 && conversationId === 'c1') throw new Error('the disk is full');
    });
    for (const seq of [1, 2, 3]) server.push('new-message', messageOf(seq));
    server.push('new-message', messageOf(7, { id: 'other', conversationId: 'c2' }));
    await client.until(() => server.payloads('mark-delivered').length === 2, 'two marks');
    await pause(150);
    expect(server.payloads('mark-delivered')).toEqual([
      { conversationId: 'c1', seq: 1, rev: 1 },
      { conversationId: 'c2', seq: 7, rev: 7 },
    ]);
  });

  it('lets the handler that runs finish when it is closed, calls none after it, and tells nothing twice after a restart', async () => {
    const storage = new MemoryStorage();
    const client = await online({ storage, ackMode: 'manual' });
    client.on('new-message', () => pause(60));
    server.push('new-message', messageOf(1));
    server.push('new-message', messageOf(2));
    await client.untilHanded('new-message');
    await client.close();
    expect(client.of('new-message').map(({ seq }) => seq)).toEqual([1]);
    expect(server.payloads('mark-delivered')).toEqual([{ conversationId: 'c1', seq: 1, rev: 1 }]);
    const next = await online({ storage, ackMode: 'manual' });
    server.push('new-message', messageOf(1));
    server.push('new-message', messageOf(2));
    await settle(next);
    expect(next.of('new-message').map(({ seq }) => seq)).toEqual([2]);
  });

  it('disconnects when the handlers fall behind, and comes back when they have caught up', async () => {
    const client = sdk(server.url, 'me', { inboxLimit: 10 });
    let isSlow = true;
    client.on('new-message', async () => {
      while (isSlow) await pause(5);
    });
    await client.connect();
    await client.untilHanded('synced');
    for (let seq = 1; seq <= 15; seq++) server.push('new-message', messageOf(seq));
    await client.until(() => client.state !== 'online', 'a disconnect');
    await pause(100);
    expect(client.state).not.toBe('online');
    isSlow = false;
    await client.untilState('online');
    expect(server.handshakes).toHaveLength(2);
  });
});

describe('the position', () => {
  const tokenIn = (storage: MemoryStorage) => JSON.parse(storage.getItem('parley:position') ?? '{}').token as unknown;

  it('of each page of a sync is stored once it was handed over, and an interrupted pass goes on', async () => {
    const storage = new MemoryStorage();
    storage.setItem('parley:position', JSON.stringify({ token: 'p0', isMidPass: false, at: null }));
    const pages: Record<string, object> = {
      p0: syncAnswer({ messages: [messageOf(1)], next: 'p1', hasMore: true }),
      p1: syncAnswer({ messages: [messageOf(2)], next: 'p2', hasMore: false }),
    };
    server.script = ({ event, payload }) => {
      if (event !== 'sync') return undefined;
      if (payload.since === 'p1' && server.payloads('sync').length === 2) server.cut();
      return pages[payload.since as string] ?? syncAnswer({ next: payload.since });
    };
    const client = await online({ storage });
    // The second pass tells what the interrupted one, of the connection before, could not know of.
    expect(server.payloads('sync').map(({ since }) => since)).toEqual(['p0', 'p1', 'p1', 'p2']);
    expect(client.of('new-message').map(({ seq }) => seq)).toEqual([1, 2]);
    expect(tokenIn(storage)).toBe('p2');
  });

  it('does not pass what a handler did not take', async () => {
    const storage = new MemoryStorage();
    storage.setItem('parley:position', JSON.stringify({ token: 'p0', isMidPass: false, at: null }));
    server.script = ({ event }) =>
      event === 'sync' ? syncAnswer({ messages: [messageOf(1)], next: 'p1' }) : undefined;
    const client = sdk(server.url, 'me', { storage });
    let isBroken = true;
    client.on('new-message', () => {
      if (isBroken) throw new Error('the disk is full');
    });
    await client.connect();
    await client.untilHanded('synced');
    expect(client.of('error')[0]).toMatchObject({ code: 'HANDLER_FAILED', event: 'new-message' });
    expect(tokenIn(storage)).toBe('p0');
    isBroken = false;
    server.cut();
    await client.untilHanded('synced', 2);
    expect(client.of('new-message')).toHaveLength(2);
    expect(tokenIn(storage)).toBe('p1');
  });

  it('of a heartbeat is believed only later, on the same connection', async () => {
    const storage = new MemoryStorage();
    let beats = 0;
    server.script = ({ event }) =>
      event === 'heartbeat' ? { serverTime: new Date().toISOString(), syncToken: `b${(beats += 1)}` } : undefined;
    await online({ storage, heartbeatIntervalMs: 40, positionLagMs: 100 });
    const lagging: number[] = [];
    while (beats < 8) {
      await pause(20);
      const [, believed] = /^b(\d+)$/.exec(String(tokenIn(storage))) ?? [];
      if (believed) lagging.push(beats - Number(believed));
    }
    expect(Math.min(...lagging)).toBeGreaterThanOrEqual(2);
  });

  it('is not taken back by heartbeats that repeat an older one, as they do while Postgres is away', async () => {
    const storage = new MemoryStorage();
    storage.setItem('parley:position', JSON.stringify({ token: 'p0', isMidPass: false, at: null }));
    server.syncToken = 'before p1';
    server.script = ({ event }) => (event === 'sync' ? syncAnswer({ next: 'p1' }) : undefined);
    await online({ storage, heartbeatIntervalMs: 20, positionLagMs: 40 });
    while (server.payloads('heartbeat').length < 8) await pause(20);
    expect(tokenIn(storage)).toBe('p1');
  });

  it('of another server is given up for a full sync', async () => {
    const storage = new MemoryStorage();
    storage.setItem('parley:position', JSON.stringify({ token: 'foreign', isMidPass: false, at: null }));
    server.script = ({ event, payload }) => {
      if (event === 'sync' && payload.since === 'foreign') throw refusal({ code: 'VALIDATION_FAILED' });
      return undefined;
    };
    await online({ storage });
    expect(server.payloads('sync').map(({ since }) => since)).toEqual(['foreign', null]);
  });
});

describe('the outbox', () => {
  it('keeps the order of a conversation over retryable errors, and one id over all tries', async () => {
    let refusals = 2;
    server.script = ({ event, payload }) => {
      if (event === 'send-message' && payload.content.text === 'a' && refusals-- > 0) {
        throw refusal({ code: 'UNAVAILABLE', retryable: true, retryAfterMs: 20 });
      }
      return undefined;
    };
    const client = await online();
    await Promise.all(['a', 'b', 'c'].map((text) => client.send({ conversationId: 'c1', content: { text } })));
    const sent = server.payloads('send-message');
    expect(sent.map(({ content }) => content.text)).toEqual(['a', 'a', 'a', 'b', 'c']);
    expect(new Set(sent.slice(0, 3).map(({ clientMessageId }) => clientMessageId)).size).toBe(1);
  });

  it('goes on after a refusal, which it tells', async () => {
    server.script = ({ event, payload }) => {
      if (event === 'send-message' && payload.content.text === 'bad') throw refusal({ code: 'VALIDATION_FAILED' });
      return undefined;
    };
    const client = await online();
    const bad = client.send({ conversationId: 'c1', content: { text: 'bad' } });
    const good = client.send({ conversationId: 'c1', content: { text: 'good' } });
    await expect(bad).rejects.toMatchObject({ code: 'VALIDATION_FAILED', retryable: false });
    await good;
    expect(client.of('message-failed').map(({ entry }) => entry.message.content)).toEqual([{ text: 'bad' }]);
    expect(await client.pendingMessages()).toEqual([]);
  });

  it('is bounded, takes messages back, and does not wait for other conversations', async () => {
    const client = await online({ outboxLimit: 3 });
    server.script = ({ event, payload }) =>
      event === 'send-message' && payload.conversationId === 'stuck' ? new Promise(() => undefined) : undefined;
    const first = client.send({ conversationId: 'stuck', content: { text: '1' } });
    const second = client.send({ conversationId: 'stuck', clientMessageId: 'two', content: { text: '2' } });
    await client.send({ conversationId: 'c1', content: { text: 'overtakes' } });
    const third = client.send({ conversationId: 'stuck', content: { text: '3' } });
    await expect(client.send({ conversationId: 'c1', content: {} })).rejects.toMatchObject({ code: 'OUTBOX_FULL' });
    expect(client.cancelMessage({ conversationId: 'stuck', clientMessageId: 'two' })).toBe(true);
    await expect(second).rejects.toMatchObject({ code: 'CANCELLED' });
    const { clientMessageId } = (await client.pendingMessages())[0]!;
    expect(client.cancelMessage({ conversationId: 'stuck', clientMessageId })).toBe(false);
    await client.close();
    for (const one of [first, third]) await expect(one).rejects.toMatchObject({ code: 'CLOSED' });
  });

  it('takes the server’s word for a message whose answer was lost', async () => {
    server.script = ({ event }) => (event === 'send-message' ? new Promise(() => undefined) : undefined);
    const client = await online({ requestTimeoutMs: 60_000 });
    const sending = client.send({ conversationId: 'c1', clientMessageId: 'mine', content: { text: 'a' } });
    await client.until(() => server.payloads('send-message').length === 1, 'a try');
    server.push('new-message', messageOf(4, { senderId: 'me', clientMessageId: 'mine' }));
    expect(await sending).toMatchObject({ duplicate: true, message: { seq: 4 } });
    expect(client.of('new-message')).toEqual([]);
    server.cut();
    await client.untilHanded('synced', 2);
    expect(server.payloads('send-message')).toHaveLength(1);
  });

  it('outlives a storage that fails', async () => {
    const storage = new MemoryStorage();
    storage.setItem = () => {
      throw new Error('quota');
    };
    const client = await online({ storage });
    await client.send({ conversationId: 'c1', content: { text: 'a' } });
    expect(client.of('error')[0]).toMatchObject({ code: 'STORAGE_FAILED' });
  });
});

describe('the connection', () => {
  it('waits as long as a refusal asks, and comes back by itself', async () => {
    const at: number[] = [];
    server.gate = () => {
      at.push(performance.now());
      return at.length === 1 ? { code: 'RATE_LIMITED', retryable: true, retryAfterMs: 400 } : undefined;
    };
    const client = await online();
    expect(at[1]! - at[0]!).toBeGreaterThanOrEqual(399);
    const waiting = client.of('state').find(({ state }) => state === 'waiting');
    expect(waiting).toMatchObject({ error: { code: 'RATE_LIMITED' } });
    expect(waiting!.retryInMs).toBeGreaterThanOrEqual(400);
  });

  it('stops at a refusal that is final, until it is asked to connect again', async () => {
    server.gate = () => ({ code: 'VALIDATION_FAILED' });
    const client = sdk(server.url, 'me');
    await expect(client.connect()).rejects.toMatchObject({ code: 'VALIDATION_FAILED' });
    expect(client.state).toBe('stopped');
    await expect(client.getMessages({ conversationId: 'c1' })).rejects.toMatchObject({ code: 'NOT_CONNECTED' });
    server.gate = () => undefined;
    await client.connect();
    server.refuse({ code: 'FORBIDDEN' });
    await client.untilState('stopped');
    expect(client.of('state').at(-1)).toMatchObject({ error: { code: 'FORBIDDEN' } });
  });

  it('asks for one more token when one is refused, and gives up when that does not help', async () => {
    let tokens = 0;
    const token = () => `token ${(tokens += 1)}`;
    server.gate = () => (tokens === 1 ? { code: 'TOKEN_REVOKED' } : undefined);
    const client = await online({ token });
    expect(server.handshakes.map((auth) => auth['token'])).toEqual(['token 1', 'token 2']);
    server.gate = () => ({ code: 'TOKEN_REVOKED' });
    server.refuse({ code: 'TOKEN_REVOKED' });
    await client.untilState('stopped');
    expect(tokens).toBe(4);
    const fixed = sdk(server.url, 'me', { token: 'always the same' });
    await expect(fixed.connect()).rejects.toMatchObject({ code: 'TOKEN_REVOKED' });
  });

  it('asks a token callback that fails again', async () => {
    let calls = 0;
    const client = await online({
      token: async () => {
        if ((calls += 1) < 3) throw new Error('offline');
        return 'good';
      },
    });
    expect(client.of('state').filter(({ state }) => state === 'waiting')[0]).toMatchObject({
      error: { code: 'TOKEN_UNAVAILABLE' },
    });
    expect(calls).toBe(3);
  });

  it('takes a request that is not answered for the sign of a dead link', async () => {
    server.script = ({ event }) => (event === 'get-messages' ? new Promise(() => undefined) : undefined);
    const client = await online({ requestTimeoutMs: 150 });
    const stuck = client.getMessages({ conversationId: 'c1' });
    await expect(stuck).rejects.toMatchObject({ code: 'TIMEOUT', retryable: true, event: 'get-messages' });
    await client.untilHanded('synced', 2);
  });

  it('does not send the unsent messages of one user as another', async () => {
    const storage = new MemoryStorage();
    const first = await online({ storage });
    await first.close();
    server.userId = 'somebody else';
    const second = sdk(server.url, 'somebody else', { storage });
    await expect(second.connect()).rejects.toMatchObject({ code: 'WRONG_USER' });
    await second.close();
    await second.forget();
    await online({ storage });
  });

  it('asks each new connection for what the app wished of one', async () => {
    const client = await online();
    await client.joinConversation('c1');
    await client.joinConversation('c2');
    await client.leaveConversation('c2');
    await client.subscribePresence(['a', 'b']);
    await client.setOnline('away');
    const before = server.asked.length;
    server.cut();
    await client.untilHanded('synced', 2);
    await client.until(
      () => server.asked.slice(before).some(({ event }) => event === 'subscribe-presence'),
      'the wishes',
    );
    const wishes = server.asked.slice(before).filter(({ event }) => event !== 'sync');
    expect(wishes).toEqual([
      { event: 'user-online', payload: { status: 'away' } },
      { event: 'join-conversation', payload: { conversationId: 'c1' } },
      { event: 'subscribe-presence', payload: { userIds: ['a', 'b'] } },
    ]);
  });

  it('rejects everything at once when it is closed, and does nothing more', async () => {
    server.script = ({ event }) => (event === 'get-messages' ? new Promise(() => undefined) : undefined);
    const client = await online();
    const stuck = expect(client.getMessages({ conversationId: 'c1' })).rejects.toMatchObject({ code: 'DISCONNECTED' });
    await client.close();
    await stuck;
    await expect(client.connect()).rejects.toMatchObject({ code: 'CLOSED' });
    await expect(client.send({ conversationId: 'c1', content: {} })).rejects.toMatchObject({ code: 'CLOSED' });
    await expect(client.startTyping('c1')).rejects.toMatchObject({ code: 'CLOSED' });
    await pause(300);
    expect(server.handshakes).toHaveLength(1);
  });
});
