import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Announcer } from '../../src/realtime/index.js';
import { rest, type TestClient } from '../support/client.js';
import { TestCluster } from '../support/cluster.js';
import { directConversation, groupConversation } from '../support/conversations.js';

// By this time an end comes by itself; where a test waits for another, it comes long before.
const [shortTtlMs, longTtlMs] = [1_500, 120_000];

let cluster: TestCluster;
/** Whose typing ends soon. */
let brief: TestCluster;
beforeAll(async () => {
  cluster = await TestCluster.start({ settings: { typingTtlMs: longTtlMs, typingMaxParticipants: 4 } });
  brief = await TestCluster.start({ settings: { typingTtlMs: shortTtlMs } });
});
afterAll(async () => {
  await cluster?.stop();
  await brief?.stop();
});

interface Typing {
  conversationId: string;
  userId: string;
  isTyping: boolean;
  expiresAt: string | null;
  userIds: string[];
}

const aTime = expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/) as string;
const someone = (name: string): string => `${name}-${randomUUID().slice(0, 8)}`;
const heardBy = (client: TestClient): string[] =>
  client.of<Typing>('user-typing').map(({ userId, isTyping }) => `${userId.split('-')[0]} ${isTyping}`);

interface Scene {
  alice: string;
  bob: string;
  /** On node 0. */
  atAlice: TestClient;
  /** On node 1, joined. */
  atBob: TestClient;
  conversationId: string;
}

/** Two users in a direct conversation, connected to two nodes. */
async function scene(on = cluster): Promise<Scene> {
  const [alice, bob] = [someone('alice'), someone('bob')];
  const conversationId = await directConversation(on.url(), alice, bob);
  const [atAlice, atBob] = await Promise.all([on.connect(alice, 0), on.connect(bob, 1)]);
  await atBob.ask('join-conversation', conversationId);
  return { alice, bob, atAlice, atBob, conversationId };
}

const end = (client: TestClient): Promise<Typing> => client.waitFor<Typing>('user-typing', ({ isTyping }) => !isTyping);

describe('typing', () => {
  it('reaches joined sockets of the others on all nodes, once however often it is repeated', async () => {
    const { alice, bob, atAlice, atBob, conversationId } = await scene();
    const [unjoined, another] = [await cluster.connect(bob, 0), await cluster.connect(alice, 1)];
    await another.ask('join-conversation', conversationId);
    const first = await atAlice.ask<{ expiresAt: string }>('typing-start', conversationId);
    expect(first).toEqual({ expiresAt: aTime });
    await atAlice.ask('typing-start', { conversationId });
    expect(await atBob.waitFor('user-typing')).toEqual({
      conversationId,
      userId: alice,
      isTyping: true,
      expiresAt: first.expiresAt,
      userIds: [alice],
    });
    expect(await atAlice.ask('typing-stop', { conversationId })).toEqual({});
    expect(await end(atBob)).toEqual({ conversationId, userId: alice, isTyping: false, expiresAt: null, userIds: [] });
    await atAlice.ask('typing-stop', { conversationId });
    await pause(100);
    expect(heardBy(atBob)).toEqual(['alice true', 'alice false']);
    expect([...heardBy(unjoined), ...heardBy(another), ...heardBy(atAlice)]).toEqual([]);
  });

  it('ends by itself', async () => {
    const { atAlice, atBob, conversationId } = await scene(brief);
    const startedAt = Date.now();
    await atAlice.ask('typing-start', conversationId);
    await end(atBob);
    expect(Date.now() - startedAt).toBeGreaterThanOrEqual(shortTtlMs - 50);
    await pause(600);
    expect(heardBy(atBob)).toEqual(['alice true', 'alice false']);
  });

  it.each<[string, (scene: Scene) => Promise<unknown>]>([
    [
      'a send',
      ({ atAlice, conversationId }) => atAlice.ask('send-message', { conversationId, content: { text: 'hello' } }),
    ],
    [
      'a send over REST to another node',
      ({ alice, conversationId }) =>
        rest(cluster.url(1), alice, 'POST', `/v1/conversations/${conversationId}/messages`, {
          content: { text: 'hello' },
        }),
    ],
    ['leaving', ({ atAlice, conversationId }) => atAlice.ask('leave-conversation', conversationId)],
    ['the disconnect of the socket', async ({ atAlice }) => atAlice.close()],
    ['a block', ({ alice, bob }) => rest(cluster.url(1), bob, 'PUT', `/v1/me/blocks/${alice}`)],
  ])('ends by %s, once', async (_what, act) => {
    const all = await scene();
    await all.atAlice.ask('typing-start', all.conversationId);
    await all.atBob.waitFor('user-typing');
    await act(all);
    await end(all.atBob);
    await pause(shortTtlMs);
    expect(heardBy(all.atBob)).toEqual(['alice true', 'alice false']);
  });

  it.each<[string, string, unknown[]]>([
    ['stops', 'typing-stop', []],
    ['leaves', 'leave-conversation', []],
    ['sends', 'send-message', [{ text: 'hello' }]],
  ])('ends, after it began, when another socket of the user %s on another node at once', async (_what, event, rest) => {
    const { alice, atAlice, atBob, conversationId } = await scene();
    const laptop = await cluster.connect(alice, 1, { deviceId: 'laptop' });
    for (let i = 1; i <= 5; i++) {
      await atAlice.ask('typing-start', conversationId);
      await laptop.ask(event, rest.length === 0 ? conversationId : { conversationId, content: rest[0] });
      await atBob.waitForCount('user-typing', 2 * i);
    }
    await pause(200);
    expect(heardBy(atBob)).toEqual(Array.from({ length: 10 }, (_, i) => `alice ${i % 2 === 0}`));
  });

  it('ends once though Redis forgets it', async () => {
    const { atAlice, atBob, conversationId } = await scene(brief);
    await atAlice.ask('typing-start', conversationId);
    await atBob.waitFor('user-typing');
    await brief.redis!.flushAll();
    await end(atBob);
    await pause(300);
    expect(heardBy(atBob)).toEqual(['alice true', 'alice false']);
  });

  it('lasts while another socket of the user types there', async () => {
    const { alice, atAlice, atBob, conversationId } = await scene();
    const laptop = await cluster.connect(alice, 1, { deviceId: 'laptop' });
    await atAlice.ask('typing-start', conversationId);
    await laptop.ask('typing-start', conversationId);
    atAlice.close();
    await pause(200);
    expect(heardBy(atBob)).toEqual(['alice true']);
    laptop.close();
    await end(atBob);
  });

  it('is not told, nor shown, across a block', async () => {
    const { alice, bob, atAlice, atBob, conversationId } = await scene();
    await rest(cluster.url(1), bob, 'PUT', `/v1/me/blocks/${alice}`);
    expect(await atAlice.ask('typing-start', conversationId)).toEqual({ expiresAt: aTime });
    await pause(150);
    expect(heardBy(atBob)).toEqual([]);
    expect((await atBob.ask('get-typing-users', conversationId)).userIds).toEqual([]);
    expect((await atBob.ask('join-conversation', conversationId)).typing).toEqual([]);
  });
});

describe('typing in a group', () => {
  it('has no end for whom it had no beginning, however late a node hears of the block', async () => {
    const [alice, bob, carol] = [someone('alice'), someone('bob'), someone('carol')];
    const conversationId = await groupConversation(cluster.url(), alice, [bob, carol]);
    const [atAlice, atBob, atCarol] = await Promise.all([
      cluster.connect(alice, 0),
      cluster.connect(bob, 1),
      cluster.connect(carol, 0),
    ]);
    await atBob.ask('join-conversation', conversationId);
    await rest(cluster.url(0), bob, 'PUT', `/v1/me/blocks/${alice}`);
    await atAlice.ask('typing-start', conversationId);
    // Notices come at least once: here comes the second, when alice has begun.
    const notice = { kind: 'visibility-changed', payload: { cause: 'blocked', userId: bob, otherId: alice } };
    cluster.nodes[0]!.app!.get(Announcer).announce(0, [notice]);
    await atAlice.ask('typing-stop', conversationId);
    await atCarol.ask('typing-start', conversationId);
    // Told after whatever there was to tell of alice.
    expect((await atBob.waitFor<Typing>('user-typing')).userId).toBe(carol);
    expect(heardBy(atBob)).toEqual(['carol true']);
  });

  it('lists all who type, in events, on joining and when asked', async () => {
    const [alice, bob, carol] = [someone('alice'), someone('bob'), someone('carol')];
    const conversationId = await groupConversation(cluster.url(), alice, [bob, carol]);
    const [atAlice, atBob, atCarol] = await Promise.all([
      cluster.connect(alice, 0),
      cluster.connect(bob, 1),
      cluster.connect(carol, 1),
    ]);
    await atAlice.ask('typing-start', conversationId);
    expect((await atCarol.ask('join-conversation', conversationId)).typing).toEqual([alice]);
    await atBob.ask('typing-start', conversationId);
    const told = await atCarol.waitFor<Typing>('user-typing', ({ userId }) => userId === bob);
    expect(told.userIds.sort()).toEqual([alice, bob]);
    const asked = await atCarol.ask('get-typing-users', conversationId);
    expect(asked).toEqual({ conversationId, userIds: [alice, bob].sort() });
    expect((await atBob.ask('get-typing-users', conversationId)).userIds).toEqual([alice, bob].sort());
    expect((await atBob.ask('join-conversation', conversationId)).typing).toEqual([alice]);
    await atAlice.ask('typing-stop', conversationId);
    expect((await end(atCarol)).userIds).toEqual([bob]);
  });

  it('ends for who is removed', async () => {
    const [alice, bob, carol] = [someone('alice'), someone('bob'), someone('carol')];
    const conversationId = await groupConversation(cluster.url(), alice, [bob, carol]);
    const [atBob, atCarol] = await Promise.all([cluster.connect(bob, 0), cluster.connect(carol, 1)]);
    await atCarol.ask('join-conversation', conversationId);
    await atBob.ask('typing-start', conversationId);
    await atCarol.waitFor('user-typing');
    await rest(cluster.url(1), alice, 'DELETE', `/v1/conversations/${conversationId}/participants/${bob}`);
    await end(atCarol);
    expect((await atBob.refused('typing-start', conversationId)).code).toBe('NOT_FOUND');
  });

  it('is answered but not told above the setting', async () => {
    const users = ['alice', 'bob', 'carol', 'dave', 'erin'].map(someone);
    const [alice, bob, ...others] = users as [string, string, ...string[]];
    const conversationId = await groupConversation(cluster.url(), alice, [bob, ...others]);
    const [atAlice, atBob] = await Promise.all([cluster.connect(alice, 0), cluster.connect(bob, 0)]);
    await atBob.ask('join-conversation', conversationId);
    expect(await atAlice.ask('typing-start', conversationId)).toEqual({ expiresAt: aTime });
    expect(await atAlice.ask('typing-stop', conversationId)).toEqual({});
    expect((await atBob.ask('get-typing-users', conversationId)).userIds).toEqual([]);
    expect(heardBy(atBob)).toEqual([]);
  });
});

it('tells a stranger from nobody in no way', async () => {
  const { conversationId } = await scene();
  const stranger = await cluster.connect(someone('stranger'));
  for (const event of ['typing-start', 'typing-stop', 'get-typing-users']) {
    const [there, nowhere] = [
      await stranger.refused(event, conversationId),
      await stranger.refused(event, randomUUID()),
    ];
    expect({ ...there, requestId: '' }).toEqual({ ...nowhere, requestId: '' });
    expect(there.code).toBe('NOT_FOUND');
    expect((await stranger.refused(event, 'not-an-id')).code).toBe('VALIDATION_FAILED');
  }
});
