import { once } from 'node:events';
import pg from 'pg';
import { afterEach, expect, it } from 'vitest';
import type { Message } from '../../src/common/index.js';
import { rest } from '../support/client.js';
import { TestCluster } from '../support/cluster.js';
import { directConversation } from '../support/conversations.js';
import { range, sendTexts, seqsHeard } from '../support/hearing.js';
import { TcpProxy } from '../support/tcp-proxy.js';
import { atMost, eventually } from '../setup/patience.js';

const text = (words: string) => ({ content: { text: words } });

let cluster: TestCluster | undefined;
let way: TcpProxy | undefined;

afterEach(async () => {
  await cluster?.stop();
  await way?.close();
});

async function kill(node: number): Promise<void> {
  const { process } = cluster!.nodes[node]!;
  const ended = once(process!, 'exit');
  process!.kill('SIGKILL');
  await ended;
}

it('a message is there after its node is killed right after the ack, and others hear of it within 5 s', async () => {
  cluster = await TestCluster.start({ processes: true });
  const conversationId = await directConversation(cluster.url(), 'k-alice', 'k-bob');
  const [alice, bob] = [await cluster.connect('k-alice'), await cluster.connect('k-bob', 1)];
  await sendTexts(alice, conversationId, ['first']);
  const { message } = await alice.ask<{ message: Message }>('send-message', { conversationId, ...text('last words') });
  await kill(0);
  expect(await bob.waitFor<Message>('new-message', ({ id }) => id === message.id, 5_000)).toEqual(message);
  const { messages } = await bob.ask<{ messages: Message[] }>('get-messages', { conversationId });
  expect(messages.map(({ seq }) => seq)).toEqual([1, 2]);
});

it('what a node committed and could not announce before it was killed, another announces within 5 s', async () => {
  cluster = await TestCluster.start({ processes: true, nodes: 0 });
  way = await TcpProxy.start(cluster.redis!.url);
  await cluster.addNode({ redisUrl: way.url });
  await cluster.addNode();
  const conversationId = await directConversation(cluster.url(), 'u-alice', 'u-bob');
  const [alice, bob] = [await cluster.connect('u-alice'), await cluster.connect('u-bob', 1)];
  await sendTexts(alice, conversationId, ['before']);
  await bob.waitFor('new-message');
  // Frozen, not closed: the node takes its announcements for sent, and they are never carried.
  way.freeze();
  await sendTexts(alice, conversationId, ['one', 'two', 'three']);
  await kill(0);
  const killedAt = performance.now();
  await bob.waitForCount('new-message', 4, 5_000);
  expect(performance.now() - killedAt).toBeLessThan(atMost(5_000));
  expect(seqsHeard(bob, conversationId)).toEqual(range(1, 4));
});

it('nodes killed in the middle of a load lose nothing acked and double nothing retried', async () => {
  cluster = await TestCluster.start({ processes: true, nodes: 3 });
  const conversationId = await directConversation(cluster.url(), 'm-alice', 'm-bob');
  const bob = await cluster.connect('m-bob', 2);
  const acked: Message[] = [];
  for (const node of [0, 1]) {
    const alice = await cluster.connect('m-alice', node);
    const outcomes = range(1, 200).map((n) => {
      const request = { conversationId, ...text(`${n}`), clientMessageId: `${n}` };
      return alice.ask<{ message: Message }>('send-message', request).then(
        ({ message }) => void acked.push(message),
        () => undefined,
      );
    });
    await eventually(() => expect(acked.length).toBeGreaterThan(node * 100 + 20), { timeout: 5_000, interval: 1 });
    await kill(node);
    alice.close();
    await Promise.all(outcomes);
  }
  for (const n of range(1, 200)) {
    const path = `/v1/conversations/${conversationId}/messages`;
    const { body } = await rest<Message>(cluster.url(2), 'm-alice', 'POST', path, {
      ...text(`${n}`),
      clientMessageId: `${n}`,
    });
    acked.push(body);
  }
  const database = new pg.Client({ connectionString: cluster.database.url });
  await database.connect();
  const { rows } = await database.query<{ id: string; key: string; seq: string }>(
    'SELECT id, client_message_id AS key, seq FROM messages WHERE conversation_id = $1 ORDER BY messages.seq',
    [conversationId],
  );
  await database.end();
  expect(rows.map(({ seq }) => Number(seq))).toEqual(range(1, 200));
  expect(new Set(rows.map(({ key }) => key)).size).toBe(200);
  expect(new Set(acked.map(({ id }) => id))).toEqual(new Set(rows.map(({ id }) => id)));
  await eventually(() => expect(seqsHeard(bob, conversationId)).toEqual(range(1, 200)), 6_000);
});
