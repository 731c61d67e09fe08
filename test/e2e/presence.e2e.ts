import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Presence } from '../../src/common/index.js';
import { atMost } from '../setup/patience.js';
// What a node that was held up would announce; the folder's index has no need to offer it.
import { PresenceAnnouncer } from '../../src/presence/presence.announcer.js';
import { rest, type TestClient } from '../support/client.js';
import { TestCluster } from '../support/cluster.js';
import { directConversation } from '../support/conversations.js';

const graceMs = 1_000;

let cluster: TestCluster;
beforeAll(async () => {
  cluster = await TestCluster.start({ settings: { presenceGraceMs: graceMs, presenceTtlMs: 6_000, maxUserIds: 20 } });
});
afterAll(() => cluster?.stop());

/** A user id nobody else has. */
const someone = (name: string): string => `${name}-${randomUUID().slice(0, 8)}`;

/** Two users who are contacts: they have a direct conversation. */
async function contacts(): Promise<[alice: string, bob: string]> {
  const [alice, bob] = [someone('alice'), someone('bob')];
  await directConversation(cluster.url(), alice, bob);
  return [alice, bob];
}

const aTime = expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/) as string;
const statusesOf = (client: TestClient, userId: string): string[] =>
  client.heard
    .filter(({ event, payload }) => event.startsWith('user-o') && (payload as Presence).userId === userId)
    .map(({ event, payload }) => `${event} ${(payload as Presence).status}`);
const ask = async (client: TestClient, userIds: string[]): Promise<Presence[]> =>
  (await client.ask<{ presences: Presence[] }>('get-presence', userIds)).presences;

describe('coming and going', () => {
  it('tells contacts on other nodes once when the first device comes and once after the last has gone', async () => {
    const [alice, bob] = await contacts();
    const atBob = await cluster.connect(bob, 1);
    const [phone, laptop] = [
      await cluster.connect(alice, 0, { deviceId: 'phone' }),
      await cluster.connect(alice, 1, { deviceId: 'laptop' }),
    ];
    expect(await atBob.waitFor('user-online')).toEqual({ userId: alice, status: 'online', lastSeenAt: aTime });
    phone.close();
    await pause(graceMs * 2);
    laptop.close();
    expect(await atBob.waitFor('user-offline')).toEqual({ userId: alice, status: 'offline', lastSeenAt: aTime });
    await pause(graceMs);
    expect(statusesOf(atBob, alice)).toEqual(['user-online online', 'user-offline offline']);
  });

  it('takes a reconnection within the grace period for no change', async () => {
    const [alice, bob] = await contacts();
    const atBob = await cluster.connect(bob, 1);
    const first = await cluster.connect(alice, 0);
    await atBob.waitFor('user-online');
    first.close();
    await cluster.connect(alice, 1);
    await pause(graceMs * 3);
    expect(statusesOf(atBob, alice)).toEqual(['user-online online']);
    expect((await ask(atBob, [alice]))[0]?.status).toBe('online');
  });

  it('ends with what happened last, though a node that was held up tells later what was before', async () => {
    const [alice, bob] = await contacts();
    const atBob = await cluster.connect(bob, 1);
    await cluster.connect(alice, 0);
    await atBob.waitFor('user-online');
    const [quick, held] = cluster.nodes.map(({ app }) => app!.get(PresenceAnnouncer));
    const startUs = (Date.now() + 1_000) * 1_000;
    const became = (status: 'online' | 'away' | 'offline', atUs: number) => [
      { userId: alice, status, seenAtMs: Date.now(), atUs: startUs + atUs },
    ];
    quick!.announce(became('away', 2));
    await atBob.waitFor<Presence>('user-online', ({ status }) => status === 'away');
    for (const announcer of [quick, held]) announcer!.announce(became('offline', 1));
    quick!.announce(became('online', 3));
    await atBob.waitForCount('user-online', 3);
    expect(statusesOf(atBob, alice)).toEqual(['user-online online', 'user-online away', 'user-online online']);
  });

  it('says when somebody was last seen, the same in the event, the answer and over REST', async () => {
    const [alice, bob] = await contacts();
    const atBob = await cluster.connect(bob, 1);
    const client = await cluster.connect(alice, 0);
    await atBob.waitFor('user-online');
    client.close();
    const offline = await atBob.waitFor<Presence>('user-offline');
    expect(Math.abs(Date.parse(offline.lastSeenAt!) - Date.now())).toBeLessThan(atMost(5_000));
    expect(await ask(atBob, [alice])).toEqual([offline]);
    const { status, body } = await rest(cluster.url(0), bob, 'GET', `/v1/presence?userIds=${alice}`);
    expect([status, body]).toEqual([200, { items: [offline] }]);
  });

  it('does not tell strangers', async () => {
    const [alice, stranger] = [someone('alice'), someone('stranger')];
    const atStranger = await cluster.connect(stranger, 1);
    await cluster.connect(alice, 0);
    const gone = { userId: alice, status: 'offline', lastSeenAt: null };
    expect((await atStranger.ask('subscribe-presence', [alice])).presences).toEqual([gone]);
    await pause(100);
    expect(JSON.stringify(await ask(atStranger, [alice]))).toBe(JSON.stringify([gone]));
    expect(statusesOf(atStranger, alice)).toEqual([]);
  });
});

describe('what a device wants to be seen as', () => {
  it('goes away and comes back, each once, and is answered with the presence', async () => {
    const [alice, bob] = await contacts();
    const atBob = await cluster.connect(bob, 1);
    const atAlice = await cluster.connect(alice, 0);
    await atBob.waitFor('user-online');
    expect(await atAlice.ask('user-online', { status: 'away' })).toEqual({
      userId: alice,
      status: 'away',
      lastSeenAt: aTime,
    });
    await atAlice.ask('user-online', { status: 'away' });
    expect((await atAlice.ask('user-online')).status).toBe('online');
    expect(await atAlice.ask('user-offline')).toEqual({ userId: alice, status: 'offline', lastSeenAt: aTime });
    await atBob.waitFor('user-offline', undefined, 200);
    await atAlice.ask('user-online', {});
    await atBob.waitForCount('user-online', 4);
    expect(statusesOf(atBob, alice)).toEqual([
      'user-online online',
      'user-online away',
      'user-online online',
      'user-offline offline',
      'user-online online',
    ]);
  });

  it('counts a device in the background as offline for all its sockets, until it comes back', async () => {
    const [alice, bob] = await contacts();
    const atBob = await cluster.connect(bob, 1);
    const one = await cluster.connect(alice, 0, { deviceId: 'phone' });
    await cluster.connect(alice, 1, { deviceId: 'phone' });
    await one.ask('user-offline');
    await atBob.waitFor('user-offline');
    // A renewal later it is still so.
    await pause(2_500);
    expect((await ask(atBob, [alice]))[0]?.status).toBe('offline');
    expect(statusesOf(atBob, alice)).toEqual(['user-online online', 'user-offline offline']);
  });

  it('refuses other states', async () => {
    const client = await cluster.connect(someone('alice'));
    for (const payload of [{ status: 'offline' }, { status: 'busy' }, { state: 'away' }, 'away']) {
      expect((await client.refused('user-online', payload)).code).toBe('VALIDATION_FAILED');
    }
  });
});

describe('asking', () => {
  it('answers in the order asked, repeats once, and as an event too', async () => {
    const [alice, bob] = await contacts();
    await cluster.connect(alice, 0);
    const atBob = await cluster.connect(bob, 1);
    const nobody = someone('nobody');
    const presences = await ask(atBob, [nobody, alice, bob, alice]);
    expect(presences).toEqual([
      { userId: nobody, status: 'offline', lastSeenAt: null },
      { userId: alice, status: 'online', lastSeenAt: aTime },
      { userId: bob, status: 'online', lastSeenAt: aTime },
    ]);
    expect(await atBob.waitFor('presence-status')).toEqual({ presences });
    expect(await ask(atBob, [])).toEqual([]);
  });

  it('refuses too many ids and wrong ones', async () => {
    const client = await cluster.connect(someone('alice'));
    const many = Array.from({ length: 21 }, (_, i) => `user-${i}`);
    for (const event of ['get-presence', 'subscribe-presence', 'unsubscribe-presence']) {
      for (const userIds of [many, [''], ['a\nb'], [1], 'alice', null]) {
        expect((await client.refused(event, { userIds })).code).toBe('VALIDATION_FAILED');
      }
    }
  });

  it('takes 100 ids over REST, and refuses more', async () => {
    const ids = (count: number) => Array.from({ length: count }, (_, i) => `user-${i}`).join(',');
    const get = (query: string) => rest(cluster.url(), someone('alice'), 'GET', `/v1/presence?userIds=${query}`);
    expect((await get(ids(100))).body.items).toHaveLength(100);
    expect((await get(ids(101))).status).toBe(400);
    expect((await get('')).status).toBe(400);
  });
});

describe('subscriptions', () => {
  it('tell of users one shares a group with, until unsubscribed or blocked', async () => {
    const [alice, bob] = [someone('alice'), someone('bob')];
    await rest(cluster.url(), alice, 'POST', '/v1/conversations', { kind: 'group', participantIds: [bob] });
    const atBob = await cluster.connect(bob, 1);
    expect((await atBob.ask('subscribe-presence', { userIds: [alice] })).presences).toEqual([
      { userId: alice, status: 'offline', lastSeenAt: null },
    ]);
    const atAlice = await cluster.connect(alice, 0);
    await atBob.waitFor('user-online');
    await atBob.ask('unsubscribe-presence', [alice]);
    await atAlice.ask('user-offline');
    await pause(100);
    expect(statusesOf(atBob, alice)).toEqual(['user-online online']);

    await atBob.ask('subscribe-presence', [alice]);
    expect((await rest(cluster.url(0), alice, 'PUT', `/v1/me/blocks/${bob}`)).status).toBe(204);
    await atAlice.ask('user-online');
    await pause(100);
    expect(statusesOf(atBob, alice)).toEqual(['user-online online']);
    expect(await ask(atBob, [alice])).toEqual([{ userId: alice, status: 'offline', lastSeenAt: null }]);
  });

  it('tell a contact who subscribed once, not twice', async () => {
    const [alice, bob] = await contacts();
    const atBob = await cluster.connect(bob, 1);
    await atBob.ask('subscribe-presence', [alice, alice]);
    await cluster.connect(alice, 0);
    await atBob.waitFor('user-online');
    await pause(100);
    expect(statusesOf(atBob, alice)).toEqual(['user-online online']);
  });

  it('have a bound', async () => {
    const client = await cluster.connect(someone('alice'));
    for (let i = 0; i < 10; i++) {
      await client.ask(
        'subscribe-presence',
        Array.from({ length: 20 }, (_, k) => `user-${i}-${k}`),
      );
    }
    expect((await client.refused('subscribe-presence', ['one-more'])).code).toBe('VALIDATION_FAILED');
  });
});

it('works the same in one process without Redis', async () => {
  const alone = await TestCluster.start({ redis: false, settings: { presenceGraceMs: graceMs, presenceTtlMs: 6_000 } });
  try {
    const [alice, bob] = [someone('alice'), someone('bob')];
    await directConversation(alone.url(), alice, bob);
    const atBob = await alone.connect(bob);
    const client = await alone.connect(alice);
    await atBob.waitFor('user-online');
    client.close();
    await atBob.waitFor('user-offline');
    expect(statusesOf(atBob, alice)).toEqual(['user-online online', 'user-offline offline']);
  } finally {
    await alone.stop();
  }
});
