import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Message } from '../../src/common/index.js';
import { open, rest, type TestClient } from '../support/client.js';
import { TestCluster } from '../support/cluster.js';
import { directConversation, groupConversation } from '../support/conversations.js';

const text = (value: string) => ({ content: { text: value } });

describe('send-message', () => {
  let cluster: TestCluster;

  beforeAll(async () => {
    cluster = await TestCluster.start({ nodes: 2 });
  });

  afterAll(() => cluster.stop());

  async function pair(a: string, b: string): Promise<{ conversationId: string; alice: TestClient; bob: TestClient }> {
    const conversationId = await directConversation(cluster.url(), a, b);
    return { conversationId, alice: await cluster.connect(a, 0), bob: await cluster.connect(b, 1) };
  }

  it('answers with the whole message and tells the peer on another node, joined or not', async () => {
    const { conversationId, alice, bob } = await pair('s1-alice', 's1-bob');
    const { message, duplicate } = await alice.ask<{ message: Message; duplicate: boolean }>('send-message', {
      conversationId,
      type: 'text',
      content: { text: 'Hello!' },
      clientMessageId: 'c-1',
    });
    expect(duplicate).toBe(false);
    expect(message).toMatchObject({
      conversationId,
      seq: 1,
      rev: 1,
      senderId: 's1-alice',
      clientMessageId: 'c-1',
      type: 'text',
      content: { text: 'Hello!' },
      replyTo: null,
      mentions: [],
      reactions: {},
      editedAt: null,
      deletedAt: null,
      expiresAt: null,
    });
    expect(await bob.waitFor<Message>('new-message')).toEqual(message);
    const { items } = (
      await rest<{ items: Message[] }>(cluster.url(1), 's1-bob', 'GET', `/v1/conversations/${conversationId}/messages`)
    ).body;
    expect(items).toEqual([message]);
  });

  it('tells the sender’s other sockets, and not the sending one', async () => {
    const { conversationId, alice, bob } = await pair('s2-alice', 's2-bob');
    const tab = await cluster.connect('s2-alice', 1, { deviceId: 'laptop' });
    await alice.ask('send-message', { conversationId, ...text('one') });
    await tab.waitFor('new-message');
    await bob.waitFor('new-message');
    expect(alice.of('new-message')).toEqual([]);
  });

  it('does not tell a socket of what it sends while its own backlog is being read', async () => {
    const others = Array.from({ length: 60 }, (_, i) => `s12-peer${i}`);
    const conversations = await Promise.all(
      others.map((other) => directConversation(cluster.url(), `${other}-sender`, other)),
    );
    const senders = await Promise.all(others.map((other, i) => open(cluster.url(i), `${other}-sender`)));
    await Promise.all(
      senders.map(async (sender, i) => {
        await new Promise<void>((resolve) => sender.socket.once('connect', resolve));
        const requests = Array.from({ length: 5 }, (_, n) => ({ conversationId: conversations[i], ...text(`${n}`) }));
        await Promise.all(requests.map((request) => sender.ask('send-message', request)));
        await sender.waitFor('session-ready');
        await sender.ask('heartbeat');
      }),
    );
    // Longer than a proof takes.
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    const heard = senders.flatMap((sender) => sender.of('new-message'));
    const cursors = await Promise.all(
      senders.map(async (sender, i) => {
        const { conversation } = await sender.ask('join-conversation', conversations[i]);
        return conversation.participants.map(({ deliveredSeq }: { deliveredSeq: number }) => deliveredSeq);
      }),
    );
    for (const sender of senders) sender.close();
    expect(heard).toEqual([]);
    // Sending moves no cursor, the sender's included; the peers have never connected.
    expect(new Set(cursors.flat())).toEqual(new Set([0]));
  });

  it('answers a retry with the first message and stores one row, on whatever node', async () => {
    const { conversationId, alice, bob } = await pair('s3-alice', 's3-bob');
    const elsewhere = await cluster.connect('s3-alice', 1, { deviceId: 'other' });
    const request = { conversationId, ...text('once'), clientMessageId: 'same' };
    const answers = await Promise.all(
      [alice, elsewhere, alice, elsewhere].map((client) =>
        client.ask<{ message: Message; duplicate: boolean }>('send-message', request),
      ),
    );
    expect(new Set(answers.map((answer) => answer.message.id)).size).toBe(1);
    expect(answers.filter((answer) => !answer.duplicate)).toHaveLength(1);
    await bob.waitFor('new-message');
    expect((await bob.ask('get-messages', conversationId)).messages).toHaveLength(1);
  });

  it('tells a reuse of the clientMessageId with other content from a retry', async () => {
    const { conversationId, alice } = await pair('s4-alice', 's4-bob');
    await alice.ask('send-message', { conversationId, ...text('a'), clientMessageId: 'k' });
    const error = await alice.refused('send-message', { conversationId, ...text('b'), clientMessageId: 'k' });
    expect(error).toMatchObject({ code: 'CONFLICT', retryable: false, event: 'send-message' });
  });

  it('takes a retry whose properties stand in another order for a retry', async () => {
    const { conversationId, alice } = await pair('s5-alice', 's5-bob');
    const location = { latitude: 1.5, longitude: 2.5 };
    const turned = { longitude: 2.5, latitude: 1.5 };
    await alice.ask('send-message', { conversationId, type: 'location', content: location, clientMessageId: 'k' });
    const again = await alice.ask('send-message', {
      conversationId,
      type: 'location',
      content: turned,
      clientMessageId: 'k',
    });
    expect(again.duplicate).toBe(true);
  });

  it('takes a retry that mentions the same in another order for a retry', async () => {
    const { conversationId, alice } = await pair('s5-carol', 's5-dave');
    const mentioning = (mentions: string[]) =>
      alice.ask('send-message', { conversationId, ...text('a'), mentions, clientMessageId: 'k' });
    const { message } = await mentioning(['s5-dave', 's5-carol']);
    const again = await mentioning(['s5-carol', 's5-dave', 's5-carol']);
    expect(again).toEqual({ message, duplicate: true });
    expect(again.message.mentions).toEqual(['s5-dave', 's5-carol']);
  });

  it('gives 20 concurrent senders on two nodes seq 1 to n, the same on all clients, each in the order of its sends', async () => {
    const users = Array.from({ length: 20 }, (_, i) => `s6-user${i}`);
    const conversationId = await groupConversation(cluster.url(), users[0]!, users.slice(1));
    const clients = await Promise.all(users.map((userId, i) => cluster.connect(userId, i)));
    const each = 10;
    const total = users.length * each;
    const sent = await Promise.all(
      clients.map((client) =>
        Promise.all(
          Array.from({ length: each }, (_, i) =>
            client.ask<{ message: Message }>('send-message', { conversationId, ...text(`${client.userId} ${i}`) }),
          ),
        ),
      ),
    );
    for (const answers of sent) {
      const seqs = answers.map((answer) => answer.message.seq);
      expect(seqs).toEqual([...seqs].sort((a, b) => a - b));
    }
    const { messages } = await clients[0]!.ask<{ messages: Message[] }>('get-messages', { conversationId, limit: 200 });
    expect(messages.map((message) => message.seq)).toEqual(Array.from({ length: total }, (_, i) => i + 1));
    for (const client of clients) {
      const heard = await client.waitForCount<Message>('new-message', total - each);
      const seqs = heard.map((message) => message.seq);
      expect(seqs).toEqual([...seqs].sort((a, b) => a - b));
      for (const message of heard) expect(message).toEqual(messages[message.seq - 1]);
    }
  });

  it('keeps the order of one socket’s pipelined sends into several conversations', async () => {
    const { conversationId, alice } = await pair('s7-alice', 's7-bob');
    const other = await directConversation(cluster.url(), 's7-alice', 's7-carol');
    const asked = Array.from({ length: 40 }, (_, i) =>
      alice.ask<{ message: Message }>('send-message', {
        conversationId: i % 2 ? other : conversationId,
        ...text(`${i}`),
      }),
    );
    const seqs = (await Promise.all(asked)).map((answer) => answer.message.seq);
    expect(seqs.filter((_, i) => i % 2 === 0)).toEqual(Array.from({ length: 20 }, (_, i) => i + 1));
    expect(seqs.filter((_, i) => i % 2 === 1)).toEqual(Array.from({ length: 20 }, (_, i) => i + 1));
  });

  it('does not tell a stranger whether a conversation exists', async () => {
    const { conversationId } = await pair('s8-alice', 's8-bob');
    const stranger = await cluster.connect('s8-stranger');
    const existing = await stranger.refused('send-message', { conversationId, ...text('hi') });
    const missing = await stranger.refused('send-message', {
      conversationId: '01890000-0000-7000-8000-000000000000',
      ...text('hi'),
    });
    expect({ ...existing, requestId: '' }).toEqual({ ...missing, requestId: '' });
    expect(existing.code).toBe('NOT_FOUND');
  });

  describe('refuses', () => {
    let conversationId: string;
    let alice: TestClient;

    beforeAll(async () => {
      conversationId = await directConversation(cluster.url(), 's9-alice', 's9-bob');
      alice = await cluster.connect('s9-alice');
    });

    it.each([
      ['an empty text', { content: { text: '' } }, 'VALIDATION_FAILED', 'content.text'],
      ['a text of 10,001 characters', { content: { text: 'a'.repeat(10_001) } }, 'VALIDATION_FAILED', 'content.text'],
      ['an unknown property of the content', { content: { text: 'a', more: 1 } }, 'VALIDATION_FAILED', 'content.more'],
      ['an unknown property', { content: { text: 'a' }, more: 1 }, 'VALIDATION_FAILED', 'more'],
      ['an unknown type', { type: 'hologram', content: {} }, 'VALIDATION_FAILED', 'type'],
      ['a content that is no object', { content: 'text' }, 'VALIDATION_FAILED', 'content'],
      ['no content', {}, 'VALIDATION_FAILED', 'content'],
      [
        'a content above 64 KiB',
        { type: 'image', content: { url: 'https://x.example/', caption: 'x'.repeat(70_000) } },
        'PAYLOAD_TOO_LARGE',
        'content',
      ],
      [
        'a reply to nothing',
        { content: { text: 'a' }, replyTo: '01890000-0000-7000-8000-000000000000' },
        'VALIDATION_FAILED',
        'replyTo',
      ],
      [
        'a mention of a stranger',
        { content: { text: 'a' }, mentions: ['s9-stranger'] },
        'VALIDATION_FAILED',
        'mentions',
      ],
      [
        'a lifetime of nothing',
        { content: { text: 'a' }, expiresInSeconds: 0 },
        'VALIDATION_FAILED',
        'expiresInSeconds',
      ],
    ])('%s', async (_what, request, code, path) => {
      const error = await alice.refused('send-message', { conversationId, ...request });
      expect(error.code).toBe(code);
      expect(error.details?.map((detail) => detail.path)).toContain(path);
    });

    it('a packet above 128 KiB', async () => {
      const error = await alice.refused('send-message', { conversationId, content: { text: 'x'.repeat(140_000) } });
      expect(error.code).toBe('PAYLOAD_TOO_LARGE');
    });
  });

  it('keeps what the content of a built-in type other than text brings beyond its rules', async () => {
    const { conversationId, alice } = await pair('s9-carol', 's9-dave');
    const contents = {
      image: { url: 'https://x.example/a.jpg', width: 640, height: 480, blurhash: 'LEHV6nWB2yk8' },
      audio: { url: 'https://x.example/a.ogg', durationMs: 1_500, waveform: [0, 3, 7] },
      file: { url: 'https://x.example/a.pdf', name: 'a.pdf', pages: { count: 3 } },
      location: { latitude: 1.5, longitude: 2.5, placeId: 'x' },
      contact: { name: 'Erin', company: 'Acme' },
    };
    for (const [type, content] of Object.entries(contents)) {
      const { message } = await alice.ask<{ message: Message }>('send-message', { conversationId, type, content });
      expect(message).toMatchObject({ type, content });
    }
    const broken = { conversationId, type: 'image', content: { ...contents.image, width: 'wide' } };
    const { details } = await alice.refused('send-message', broken);
    expect(new Set(details?.map(({ path }) => path))).toEqual(new Set(['content.width']));
  });

  it('accepts a reply, mentions and 10,000 characters of four bytes each', async () => {
    const { conversationId, alice } = await pair('s10-alice', 's10-bob');
    const first = await alice.ask<{ message: Message }>('send-message', {
      conversationId,
      ...text('😀'.repeat(10_000)),
    });
    const second = await alice.ask<{ message: Message }>('send-message', {
      conversationId,
      ...text('see above'),
      replyTo: first.message.id,
      mentions: ['s10-bob'],
    });
    expect(second.message).toMatchObject({ replyTo: first.message.id, mentions: ['s10-bob'], seq: 2 });
  });

  it('takes replies to and mentions of what is in the same conversation, and the sender can see, only', async () => {
    const { conversationId: elsewhere, alice } = await pair('s15-alice', 's15-bob');
    const conversationId = await groupConversation(cluster.url(), 's15-alice', ['s15-carol', 's15-dave']);
    const carol = await cluster.connect('s15-carol', 1);
    const say = async (id: string, more = {}) =>
      (await alice.ask<{ message: Message }>('send-message', { conversationId: id, ...text('x'), ...more })).message.id;
    const [there, early, deleted] = [await say(elsewhere), await say(conversationId), await say(conversationId)];
    await alice.ask('delete-message', deleted);
    const path = `/v1/conversations/${conversationId}/participants`;
    await rest(cluster.url(), 's15-alice', 'DELETE', `${path}/s15-dave`);
    await rest(cluster.url(), 's15-alice', 'POST', path, { userIds: ['s15-late'] });
    const late = await cluster.connect('s15-late', 0);
    const refusal = async (who: TestClient, more: object) => {
      const { code, details } = await who.refused('send-message', { conversationId, ...text('x'), ...more });
      return [code, details?.map((detail) => detail.path)];
    };
    for (const [who, replyTo] of [
      [carol, there],
      [late, early],
    ] as const) {
      expect(await refusal(who, { replyTo })).toEqual(['VALIDATION_FAILED', ['replyTo']]);
    }
    expect(await refusal(carol, { mentions: ['s15-dave'] })).toEqual(['VALIDATION_FAILED', ['mentions']]);
    expect(await refusal(carol, { mentions: ['s15-bob'] })).toEqual(['VALIDATION_FAILED', ['mentions']]);
    // Its place is still there, and so is who came late.
    await carol.ask('send-message', { conversationId, ...text('x'), replyTo: deleted, mentions: ['s15-late'] });
    const body = { content: { text: 'x' }, replyTo: there };
    const answer = await rest(cluster.url(), 's15-carol', 'POST', `/v1/conversations/${conversationId}/messages`, body);
    expect([answer.status, answer.body.code]).toEqual([400, 'VALIDATION_FAILED']);
  });

  it('mentions each participant once, and no more names than the setting allows', async () => {
    const { conversationId, alice } = await pair('s14-alice', 's14-bob');
    const mentions = ['s14-bob', 's14-alice', 's14-bob'];
    const sent = await alice.ask<{ message: Message }>('send-message', { conversationId, ...text('hey'), mentions });
    expect(sent.message.mentions).toEqual(['s14-bob', 's14-alice']);
    const many = Array.from({ length: 51 }, () => 's14-bob');
    const refusal = await alice.refused('send-message', { conversationId, ...text('hey'), mentions: many });
    expect(refusal).toMatchObject({ code: 'VALIDATION_FAILED', details: [{ path: 'mentions' }] });
    const strict = await cluster.addNode({ maxMentions: 2 });
    const path = `/v1/conversations/${conversationId}/messages`;
    const tooMany = await rest(strict.url, 's14-alice', 'POST', path, { ...text('hey'), mentions });
    expect([tooMany.status, tooMany.body.details[0].path]).toEqual([400, 'mentions']);
    await strict.stop();
    cluster.nodes.pop();
  });

  it('is stored and answered the same way over REST, with 200 for a duplicate', async () => {
    const { conversationId, bob } = await pair('s11-alice', 's11-bob');
    const path = `/v1/conversations/${conversationId}/messages`;
    const body = { ...text('by REST'), clientMessageId: 'r' };
    const created = await rest<Message>(cluster.url(), 's11-alice', 'POST', path, body);
    const repeated = await rest<Message>(cluster.url(1), 's11-alice', 'POST', path, body);
    expect([created.status, repeated.status]).toEqual([201, 200]);
    expect(repeated.body).toEqual(created.body);
    expect(await bob.waitFor('new-message')).toEqual(created.body);
  });

  it('limits a user to a burst of 60 by default, and says when to come back', async () => {
    const limited = await TestCluster.start({
      redis: false,
      settings: { rateMessagesPerSecond: 30, rateMessagesBurst: 60 },
    });
    try {
      const conversationId = await directConversation(limited.url(), 'alice', 'bob');
      const alice = await limited.connect('alice');
      const outcomes = await Promise.all(
        Array.from({ length: 80 }, (_, i) =>
          alice.ask('send-message', { conversationId, ...text(`${i}`) }).then(
            () => null,
            (error: unknown) => error,
          ),
        ),
      );
      const refused = outcomes.filter((outcome) => outcome !== null);
      expect(refused.length).toBeGreaterThan(10);
      for (const error of refused)
        expect(error).toMatchObject({ code: 'RATE_LIMITED', retryable: true, retryAfterMs: expect.any(Number) });
    } finally {
      await limited.stop();
    }
  });
});
