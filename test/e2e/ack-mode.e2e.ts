import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Message } from '../../src/common/index.js';
import { connect, type TestClient } from '../support/client.js';
import { TestCluster } from '../support/cluster.js';
import { directConversation } from '../support/conversations.js';
import { LossyProxy } from '../support/lossy-proxy.js';
import { atMost } from '../setup/patience.js';

let cluster: TestCluster;
let proxy: LossyProxy | undefined;

beforeAll(async () => {
  cluster = await TestCluster.start({ nodes: 2 });
});
afterEach(async () => {
  await proxy?.stop();
  proxy = undefined;
});
afterAll(() => cluster.stop());

let users = 0;

interface Scene {
  bob: string;
  sender: TestClient;
  conversationId: string;
}

async function scene(): Promise<Scene> {
  users += 1;
  const [alice, bob] = [`alice-${users}`, `bob-${users}`];
  const sender = await cluster.connect(alice, 0);
  return { bob, sender, conversationId: await directConversation(cluster.url(), alice, bob) };
}

async function send({ sender, conversationId }: Scene, text: string): Promise<Message> {
  const { message } = await sender.ask('send-message', { conversationId, content: { text } });
  return message;
}

async function throughProxy(bob: string, options = {}): Promise<TestClient> {
  proxy = await LossyProxy.to(Number(new URL(cluster.url(1)).port));
  return connect(proxy.url, bob, { deviceId: 'phone', ...options });
}

const isDelivered =
  (seq: number) =>
  ({ deliveredSeq }: { deliveredSeq: number }) =>
    deliveredSeq >= seq;
const seqs = (client: TestClient) => client.of<Message>('new-message').map(({ seq }) => seq);

describe('ackMode auto', () => {
  it('claims delivery within about a second, by a pong to a ping after the message', async () => {
    const here = await scene();
    await cluster.connect(here.bob, 1, { deviceId: 'phone' });
    const sentAt = performance.now();
    await send(here, 'hello');
    await here.sender.waitFor('message-delivered', isDelivered(1), 3_000);
    expect(performance.now() - sentAt).toBeLessThan(atMost(1_500));
  });

  it('also over long polling', async () => {
    const here = await scene();
    await cluster.connect(here.bob, 1, { deviceId: 'phone', transports: ['polling'] });
    await send(here, 'hello');
    await here.sender.waitFor('message-delivered', isDelivered(1), 3_000);
  });

  it.each([
    ['half open, and nothing comes to the client', ['toClient'], [1]],
    ['half open, and the proof of what came does not come back', ['toServer'], [1, 2]],
    ['a black hole', ['toServer', 'toClient'], [1]],
  ] as const)('claims nothing on a link that is %s, and delivers it again', async (_name, directions, seen) => {
    const here = await scene();
    const lost = await throughProxy(here.bob);
    await send(here, 'arrives');
    await here.sender.waitFor('message-delivered', isDelivered(1), 3_000);
    proxy!.swallow(...directions);
    await send(here, 'is not proven');
    await pause(1_200);
    expect(here.sender.of<{ deliveredSeq: number }>('message-delivered').some(isDelivered(2))).toBe(false);
    expect(seqs(lost)).toEqual(seen);
    lost.close();
    const again = await cluster.connect(here.bob, 0, { deviceId: 'phone' });
    await again.waitForCount('new-message', 1);
    expect(seqs(again)).toEqual([2]);
    await here.sender.waitFor('message-delivered', isDelivered(2), 3_000);
  });

  it('takes nothing but a pong for proof: a client that talks on a link that swallows is not current', async () => {
    const here = await scene();
    const lost = await throughProxy(here.bob);
    proxy!.swallow('toClient');
    await send(here, 'vanishes');
    // These reach the server, in order, after the message was written; none of them proves that it
    // arrived.
    for (let i = 0; i < 5; i++) lost.socket.emit('heartbeat');
    lost.socket.emit('get-messages', { conversationId: here.conversationId });
    await pause(1_000);
    expect(here.sender.of('message-delivered')).toEqual([]);
    lost.close();
  });

  it('delivers again what crossed the goodbye of the client, or was cut off', async () => {
    const here = await scene();
    const cut = await throughProxy(here.bob);
    await send(here, 'before the cut');
    await cut.waitFor('new-message');
    proxy!.cut();
    const goodbye = await cluster.connect(here.bob, 1, { deviceId: 'phone' });
    await goodbye.waitForCount('new-message', 1);
    goodbye.close();
    await send(here, 'crossing');
    const again = await cluster.connect(here.bob, 0, { deviceId: 'phone' });
    await again.waitFor<Message>('new-message', ({ seq }) => seq === 2);
    expect(seqs(again).at(-1)).toBe(2);
  });

  it('does not give a device its own acked messages again', async () => {
    const here = await scene();
    const device = await cluster.connect(here.bob, 1, { deviceId: 'phone' });
    await device.ask('send-message', { conversationId: here.conversationId, content: { text: 'mine' } });
    await pause(900);
    device.close();
    const again = await cluster.connect(here.bob, 1, { deviceId: 'phone' });
    await send(here, 'yours');
    await again.waitFor<Message>('new-message', ({ seq }) => seq === 2);
    expect(seqs(again)).toEqual([2]);
    // Sending moves no cursor of the user's own.
    const { conversation } = await here.sender.ask('join-conversation', here.conversationId);
    expect(conversation.participants.find((one: { userId: string }) => one.userId === here.bob).deliveredSeq).not.toBe(
      1,
    );
  });
});

describe('ackMode manual', () => {
  it('believes mark-delivered only', async () => {
    const here = await scene();
    const device = await cluster.connect(here.bob, 1, { deviceId: 'phone', ackMode: 'manual' });
    for (const text of ['a', 'b', 'c']) await send(here, text);
    await device.waitForCount('new-message', 3);
    await pause(1_000);
    expect(here.sender.of('message-delivered')).toEqual([]);
    await device.ask('mark-delivered', { conversationId: here.conversationId, seq: 2 });
    await here.sender.waitFor('message-delivered', isDelivered(2), 2_000);
    device.close();
    const again = await cluster.connect(here.bob, 0, { deviceId: 'phone', ackMode: 'manual' });
    await again.waitForCount('new-message', 1);
    expect(seqs(again)).toEqual([3]);
  });

  it('tells changes again until a rev covers them', async () => {
    const here = await scene();
    const message = await send(here, 'a');
    const device = await cluster.connect(here.bob, 1, { deviceId: 'phone', ackMode: 'manual' });
    await device.waitFor('new-message');
    await device.ask('mark-delivered', { conversationId: here.conversationId, seq: 1, rev: 1 });
    device.close();
    await here.sender.ask('edit-message', { messageId: message.id, content: { text: 'b' } });
    for (const rev of [null, 2]) {
      const next = await cluster.connect(here.bob, 1, { deviceId: 'phone', ackMode: 'manual' });
      await next.waitFor('message-edited');
      await next.ask('mark-delivered', { conversationId: here.conversationId, seq: 1, rev });
      next.close();
    }
    const last = await cluster.connect(here.bob, 1, { deviceId: 'phone', ackMode: 'manual' });
    await send(here, 'marker');
    await last.waitFor('new-message');
    expect(last.of('message-edited')).toEqual([]);
  });
});
