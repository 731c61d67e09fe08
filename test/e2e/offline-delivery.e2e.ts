import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { Message } from '../../src/common/index.js';
import { BacklogFinder } from '../../src/delivery/backlog.finder.js';
import { connect, type TestClient } from '../support/client.js';
import { TestCluster } from '../support/cluster.js';
import { directConversation, groupConversation } from '../support/conversations.js';
import { LossyProxy } from '../support/lossy-proxy.js';
import { poolOf } from '../support/message-life.js';

let cluster: TestCluster;

beforeAll(async () => {
  cluster = await TestCluster.start({ nodes: 2 });
});

afterAll(() => cluster.stop());

let users = 0;
const someone = (name: string) => `${name}-${++users}`;

async function send(client: TestClient, conversationId: string, text: string): Promise<Message> {
  const { message } = await client.ask('send-message', { conversationId, content: { text } });
  return message;
}

async function sendMany(client: TestClient, conversationId: string, count: number): Promise<void> {
  for (let sent = 0; sent < count; sent += 200) {
    const batch = Array.from({ length: Math.min(200, count - sent) }, (_, i) =>
      send(client, conversationId, `${sent + i + 1}`),
    );
    await Promise.all(batch);
  }
}

const texts = (client: TestClient) => client.of<Message>('new-message').map((message) => message.content?.['text']);

/** The second node's finder of backlogs, the real one, on a slow day: it looks when told to. */
function holdFinder(): { goOn: () => void; restore: () => void } {
  const finder = cluster.nodes[1]!.app!.get(BacklogFinder);
  const find = finder.find.bind(finder);
  let goOn = (): void => undefined;
  const held = new Promise<void>((resolve) => (goOn = resolve));
  const spy = vi.spyOn(finder, 'find').mockImplementation((session) => held.then(() => find(session)));
  return { goOn: () => goOn(), restore: () => spy.mockRestore() };
}

describe('offline delivery', () => {
  it('gives a device what it missed, in order, before newer live messages', async () => {
    const [alice, bob] = [someone('alice'), someone('bob')];
    const sender = await cluster.connect(alice, 0);
    const conversationId = await directConversation(cluster.url(), alice, bob);
    await sendMany(sender, conversationId, 251);
    const device = await cluster.connect(bob, 1, { deviceId: 'phone' });
    await send(sender, conversationId, '252');
    await device.waitForCount('new-message', 252);
    expect(device.heard[0]!.event).toBe('session-ready');
    expect(device.of<Message>('new-message').map(({ seq }) => seq)).toEqual(
      Array.from({ length: 252 }, (_, i) => i + 1),
    );
  });

  it('tells a socket what became of its own messages while it looked for a backlog', async () => {
    const [alice, bob] = [someone('alice'), someone('bob')];
    const sender = await cluster.connect(alice, 0);
    const { goOn, restore } = holdFinder();
    try {
      const conversationId = await groupConversation(cluster.url(), alice, [bob]);
      await send(sender, conversationId, 'missed');
      const device = await cluster.connect(bob, 1, { deviceId: 'phone' });
      const [reactedTo, deleted, plain] = [
        await send(device, conversationId, 'reacted to'),
        await send(device, conversationId, 'deleted'),
        await send(device, conversationId, 'plain'),
      ];
      await sender.ask('add-reaction', { messageId: reactedTo.id, emoji: '👍' });
      await sender.ask('delete-message', { messageId: deleted.id });
      goOn();
      await device.waitFor('reaction-changed', ({ messageId }) => messageId === reactedTo.id);
      await device.waitFor('message-deleted', ({ messageId }) => messageId === deleted.id);
      const news = device.of<Message>('new-message').map(({ id }) => id);
      expect(news).toHaveLength(1);
      expect(news).not.toContain(plain.id);
    } finally {
      restore();
    }
  });

  it('tells what happens while it looks for a backlog as it happened, not as it looks by then', async () => {
    const [alice, bob] = [someone('alice'), someone('bob')];
    const sender = await cluster.connect(alice, 0);
    const { goOn, restore } = holdFinder();
    const device = await cluster.connect(bob, 1, { deviceId: 'phone' });
    const conversationId = await directConversation(cluster.url(), alice, bob);
    const [kept, gone] = [await send(sender, conversationId, 'kept'), await send(sender, conversationId, 'gone')];
    await sender.ask('edit-message', { messageId: kept.id, content: { text: 'edited' } });
    await sender.ask('delete-message', { messageId: gone.id });
    // Long enough for the notices to have come to the other node, where nothing tells that they
    // have.
    await new Promise((resolve) => setTimeout(resolve, 300));
    goOn();
    await device.waitFor('message-deleted');
    restore();
    expect(texts(device)).toEqual(['kept', 'gone']);
    expect(device.of<Message>('message-edited').map(({ rev, content }) => [rev, content])).toEqual([
      [3, { text: 'edited' }],
    ]);
  });

  it('delivers once what was proven, and again what was not', async () => {
    const [alice, bob] = [someone('alice'), someone('bob')];
    const sender = await cluster.connect(alice, 0);
    const conversationId = await directConversation(cluster.url(), alice, bob);
    const first = await cluster.connect(bob, 1, { deviceId: 'phone' });
    await send(sender, conversationId, 'proven');
    await sender.waitFor(
      'message-delivered',
      ({ deliveredSeq }: { deliveredSeq: number }) => deliveredSeq === 1,
      3_000,
    );
    await send(sender, conversationId, 'unproven');
    await first.waitFor<Message>('new-message', ({ seq }) => seq === 2);
    first.close();
    const second = await cluster.connect(bob, 0, { deviceId: 'phone' });
    await second.waitForCount('new-message', 1);
    expect(texts(second)).toEqual(['unproven']);
  });

  it('tells what happened to messages the device has, in their present state', async () => {
    const [alice, bob] = [someone('alice'), someone('bob')];
    const sender = await cluster.connect(alice, 0);
    const conversationId = await directConversation(cluster.url(), alice, bob);
    const first = await cluster.connect(bob, 1, { deviceId: 'phone' });
    const [edited, deleted, liked] = [
      await send(sender, conversationId, 'a'),
      await send(sender, conversationId, 'b'),
      await send(sender, conversationId, 'c'),
    ];
    await sender.waitFor(
      'message-delivered',
      ({ deliveredSeq }: { deliveredSeq: number }) => deliveredSeq === 3,
      3_000,
    );
    first.close();
    await sender.ask('edit-message', { messageId: edited.id, content: { text: 'a, edited' } });
    await sender.ask('delete-message', { messageId: deleted.id });
    await sender.ask('add-reaction', { messageId: liked.id, emoji: '👍' });
    const fresh = await send(sender, conversationId, 'd');
    await sender.ask('edit-message', { messageId: fresh.id, content: { text: 'd, edited' } });

    const second = await cluster.connect(bob, 1, { deviceId: 'phone' });
    await second.waitForCount('new-message', 1);
    const heard = second.heard
      .slice(1)
      .map(({ event }) => event)
      .filter((event) => /message|reaction/.test(event));
    expect(heard).toEqual(['message-edited', 'message-deleted', 'reaction-changed', 'new-message']);
    expect(second.of<Message>('message-edited')[0]!.content).toEqual({ text: 'a, edited' });
    expect(second.of('message-deleted')[0]).toMatchObject({
      messageId: deleted.id,
      deletedBy: alice,
      scope: 'everyone',
    });
    expect(second.of('reaction-changed')[0]).toMatchObject({
      messageId: liked.id,
      userId: alice,
      emoji: '👍',
      added: true,
    });
    expect(texts(second)).toEqual(['d, edited']);
  });

  it('tells a device what its user hid meanwhile, until that is proven', async () => {
    const [alice, bob] = [someone('alice'), someone('bob')];
    const sender = await cluster.connect(alice, 0);
    const conversationId = await directConversation(cluster.url(), alice, bob);
    const tablet = await cluster.connect(bob, 0, { deviceId: 'tablet' });
    const phone = (node: number) => cluster.connect(bob, node, { deviceId: 'phone', ackMode: 'manual' });
    const first = await phone(1);
    const had = await send(sender, conversationId, 'a');
    await first.ask('mark-delivered', { conversationId, seq: 1, rev: 1 });
    first.close();
    const fresh = await send(sender, conversationId, 'b');
    await send(sender, conversationId, 'c');
    for (const { id } of [had, fresh]) await tablet.ask('delete-message', { messageId: id, scope: 'me' });

    const hiddenFrom = (client: TestClient) => client.of('message-deleted').map(({ messageId }) => messageId);
    const second = await phone(1);
    await second.waitForCount('new-message', 1);
    await second.waitForCount('message-deleted', 2);
    expect(second.of('message-deleted')[0]).toEqual({
      conversationId,
      messageId: had.id,
      seq: 1,
      rev: 1,
      deletedBy: bob,
      deletedAt: expect.stringMatching(/Z$/),
      scope: 'me',
    });
    expect([texts(second), hiddenFrom(second)]).toEqual([['c'], [had.id, fresh.id]]);

    // Long enough ago to be beyond doubt.
    const sql = poolOf(cluster);
    await sql.query(`UPDATE hidden_messages SET hidden_at = hidden_at - interval '1 hour' WHERE user_id = $1`, [bob]);
    await sql.query(`UPDATE devices SET hidden_known_at = hidden_known_at - interval '2 hours' WHERE user_id = $1`, [
      bob,
    ]);
    const third = await phone(0);
    await third.waitForCount('message-deleted', 2);
    await third.ask('heartbeat');
    for (const client of [second, third]) client.close();
    await expect
      .poll(async () => {
        const { rows } = await sql.query(
          `SELECT 1 FROM devices WHERE user_id = $1 AND device_id = 'phone' AND hidden_known_at > now() - interval '1 minute'`,
          [bob],
        );
        return rows.length;
      })
      .toBe(1);
    await sql.end();
    const fourth = await phone(1);
    await fourth.waitForCount('new-message', 1);
    expect(hiddenFrom(fourth)).toEqual([]);
  });

  it('writes no more of a backlog than a few pages to a device that proves nothing, and goes on when it does', async () => {
    const [alice, bob] = [someone('alice'), someone('bob')];
    const sender = await cluster.connect(alice, 0);
    const conversationId = await directConversation(cluster.url(), alice, bob);
    await sendMany(sender, conversationId, 2_000);
    const proxy = await LossyProxy.to(Number(new URL(cluster.url(1)).port));
    const silent = await connect(proxy.url, bob, { deviceId: 'phone' });
    proxy.swallow('toServer');
    await silent.waitFor('new-message');
    await pause(1_500);
    const written = silent.of('new-message').length;
    expect(written).toBeLessThan(1_400);
    silent.close();
    await proxy.stop();
    const device = await cluster.connect(bob, 1, { deviceId: 'phone' });
    await device.waitForCount('new-message', 2_000, 15_000);
    expect(device.of<Message>('new-message').map(({ seq }) => seq)).toEqual(
      Array.from({ length: 2_000 }, (_, i) => i + 1),
    );
  });

  it('does not hold up other conversations while a backlog is written', async () => {
    const [alice, bob, carol] = [someone('alice'), someone('bob'), someone('carol')];
    const sender = await cluster.connect(alice, 0);
    const other = await cluster.connect(carol, 0);
    const long = await directConversation(cluster.url(), alice, bob);
    const live = await groupConversation(cluster.url(), carol, [bob]);
    await sendMany(sender, long, 2_000);
    const device = await cluster.connect(bob, 1, { deviceId: 'phone' });
    await send(other, live, 'now');
    await device.waitFor<Message>('new-message', ({ conversationId }) => conversationId === live);
    expect(device.of<Message>('new-message').length).toBeLessThan(2_001);
    await device.waitForCount('new-message', 2_001, 15_000);
  });
});
