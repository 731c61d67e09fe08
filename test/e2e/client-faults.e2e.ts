/**
 * The client SDK on networks that lose, cut and hang, and on nodes that are killed: stored once, in
 * order, nothing missed.
 */
import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { MemoryStorage, type ClientOptions, type Message } from '../../src/client/index.js';
import { rest } from '../support/client.js';
import { TestCluster } from '../support/cluster.js';
import { directConversation } from '../support/conversations.js';
import { LossyProxy } from '../support/lossy-proxy.js';
import { closeAll, sdk, textOf, type RecordedClient } from '../support/sdk.js';

let cluster: TestCluster;
let proxy: LossyProxy;
let users = 0;

const portOf = (node: number) => Number(new URL(cluster.url(node)).port);

beforeAll(async () => {
  cluster = await TestCluster.start({ nodes: 2, processes: true });
});
beforeEach(async () => {
  proxy = await LossyProxy.to(portOf(0));
});
afterEach(async () => {
  await closeAll();
  await proxy.stop();
});
afterAll(() => cluster.stop());

interface Scene {
  conversationId: string;
  alice: string;
  /** On a node of its own, undisturbed. */
  steady: RecordedClient;
  /** Through the proxy. */
  shaken: RecordedClient;
}

async function scene(options: Partial<ClientOptions> = {}): Promise<Scene> {
  users += 1;
  const [alice, bob] = [`alice-${users}`, `bob-${users}`];
  const conversationId = await directConversation(cluster.url(1), alice, bob);
  const steady = sdk(cluster.url(1), alice);
  const shaken = sdk(proxy.url, bob, { requestTimeoutMs: 700, connectTimeoutMs: 1_500, ...options });
  await Promise.all([steady.connect(), shaken.connect()]);
  await shaken.untilHanded('synced');
  return { conversationId, alice, steady, shaken };
}

const numbers = (count: number) => Array.from({ length: count }, (_, i) => `${i + 1}`);

async function stored({ conversationId, alice }: Scene): Promise<unknown[]> {
  const { body } = await rest(cluster.url(1), alice, 'GET', `/v1/conversations/${conversationId}/messages?limit=200`);
  return body.items.map(textOf);
}

function sendAll({ conversationId, shaken }: Scene, texts: string[]): Promise<unknown> {
  return Promise.all(texts.map((text) => shaken.send({ conversationId, content: { text } })));
}

describe('sending', () => {
  it('stores each message once and in order when answers are lost', async () => {
    const here = await scene();
    const sending = sendAll(here, numbers(100));
    await here.shaken.untilHanded('message-sent', 2);
    // From here on messages reach the server, and its answers nobody.
    proxy.swallow('toClient');
    await here.shaken.until(() => here.shaken.state !== 'online', 'a request without an answer');
    proxy.swallow();
    await sending;
    expect(await stored(here)).toEqual(numbers(100));
    await here.steady.untilHanded('new-message', 100);
    expect(here.steady.texts()).toEqual(numbers(100));
    expect(here.shaken.of('message-sent').some(({ duplicate }) => duplicate)).toBe(true);
    expect(here.shaken.of('new-message')).toEqual([]);
  });

  it('stores each message once and in order when connections are cut, again and again', async () => {
    const here = await scene();
    const sending = sendAll(here, numbers(150));
    for (const sent of [1, 20, 40, 60, 80]) {
      await here.shaken.untilHanded('message-sent', sent);
      proxy.cut();
    }
    await sending;
    expect(here.shaken.of('synced').length).toBeGreaterThan(3);
    expect(await stored(here)).toEqual(numbers(150));
    await here.steady.untilHanded('new-message', 150);
    expect(here.steady.texts()).toEqual(numbers(150));
  });
});

describe('after a start', () => {
  it('learns once that a message whose answer was lost has been deleted, when its answer comes before `sync` tells', async () => {
    const storage = new MemoryStorage();
    const here = await scene({ storage, deviceId: 'phone', requestTimeoutMs: 5_000 });
    const { conversationId, shaken, steady } = here;
    proxy.swallow('toClient');
    void shaken.send({ conversationId, content: { text: 'oh' } }).catch(() => undefined);
    await steady.untilHanded('new-message');
    await shaken.close();
    proxy.swallow();
    const [{ id, senderId }] = steady.of('new-message') as [Message];
    expect((await rest(cluster.url(1), senderId, 'DELETE', `/v1/messages/${id}?scope=everyone`)).status).toBe(204);

    const again = sdk(proxy.url, senderId, { storage, deviceId: 'phone' });
    // The conversation comes first of a page of `sync`: what follows waits for this handler.
    again.on('conversation-updated', () => again.untilHanded('message-sent'));
    await again.connect();
    await again.untilHanded('synced');
    expect(again.of('message-sent')).toMatchObject([{ duplicate: true, message: { id, content: null } }]);
    expect(again.of('conversation-updated')).toHaveLength(1);
    expect(again.of('message-deleted')).toEqual([]);
  });
});

describe('receiving', () => {
  it.each(['toClient', 'toServer'] as const)(
    'notices a link that is half open (%s lost), and misses nothing',
    async (lost) => {
      const here = await scene({ heartbeatIntervalMs: 200 });
      await here.steady.send({ conversationId: here.conversationId, content: { text: '1' } });
      await here.shaken.untilHanded('new-message');
      proxy.swallow(lost);
      for (const text of ['2', '3']) await here.steady.send({ conversationId: here.conversationId, content: { text } });
      await here.shaken.until(() => here.shaken.state !== 'online', 'the end of a dead link', 3_000);
      proxy.swallow();
      await here.shaken.untilHanded('new-message', 3);
      await here.shaken.untilHanded('synced', 2);
      expect(here.shaken.texts()).toEqual(['1', '2', '3']);
    },
  );

  it('misses nothing in a black hole, nor while it is cut again and again', async () => {
    const here = await scene({ ackMode: 'manual' });
    let isOver = false;
    const shaking = (async () => {
      for (let i = 0; !isOver; i++) {
        await pause(60);
        if (i === 3) proxy.swallow('toClient', 'toServer');
        if (i === 6) proxy.swallow();
        if (i !== 3) proxy.cut();
      }
    })();
    for (const text of numbers(30)) {
      await here.steady.send({ conversationId: here.conversationId, content: { text } });
      await pause(15);
    }
    isOver = true;
    await shaking;
    await here.shaken.untilHanded('new-message', 30);
    await here.shaken.until(() => here.shaken.state === 'online', 'the end');
    expect(here.shaken.texts()).toEqual(numbers(30));
    await here.steady.until(() => here.steady.of('message-delivered').at(-1)?.deliveredSeq === 30, 'delivered');
  });
});

// Last: it takes a node away.
describe('a node that is killed', () => {
  it('takes nothing along: clients go on at another one', async () => {
    const here = await scene();
    const sending = sendAll(here, numbers(60));
    await here.shaken.untilHanded('message-sent', 5);
    const { process } = cluster.nodes[0]!;
    const dead = once(process!, 'exit');
    process!.kill('SIGKILL');
    await dead;
    proxy.retarget(portOf(1));
    await here.steady.send({ conversationId: here.conversationId, content: { text: 'from the other' } });
    await sending;
    const all = await stored(here);
    expect(all.filter((text) => text !== 'from the other')).toEqual(numbers(60));
    await here.steady.untilHanded('new-message', 60);
    expect(here.steady.texts()).toEqual(numbers(60));
    await here.shaken.untilHanded('new-message');
    expect(here.shaken.texts()).toEqual(['from the other']);
  });
});
