import { setTimeout as pause } from 'node:timers/promises';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Message } from '../../src/common/index.js';
import { connect } from '../support/client.js';
import { TestCluster } from '../support/cluster.js';
import { directConversation } from '../support/conversations.js';
import { LossyProxy } from '../support/lossy-proxy.js';
import { atMost } from '../setup/patience.js';

/**
 * The seam between commit and announcement without a hook in the product: a node whose answers from
 * Postgres vanish has committed and does not know it. Then it is killed.
 */
let cluster: TestCluster;
let database: pg.Client;
const proxies: LossyProxy[] = [];

beforeAll(async () => {
  cluster = await TestCluster.start({ nodes: 1, processes: true });
  database = new pg.Client({ connectionString: cluster.database.url });
  await database.connect();
});
afterEach(async () => {
  for (const proxy of proxies.splice(0)) await proxy.stop();
});
afterAll(async () => {
  await database.end();
  await cluster.stop();
});

async function doomedNode() {
  const url = new URL(cluster.database.url);
  const proxy = await LossyProxy.to(Number(url.port), url.hostname);
  proxies.push(proxy);
  url.hostname = '127.0.0.1';
  url.port = String(proxy.port);
  const node = await cluster.addNode({ databaseUrl: url.href, migrationsRun: false });
  return { node, proxy };
}

/** Sends from the doomed node, waits for the commit and kills the node before it can know. */
async function sendAndDie(conversationId: string, sender: string, texts: string[]): Promise<void> {
  const { node, proxy } = await doomedNode();
  const client = await cluster.connect(sender, cluster.nodes.indexOf(node), { deviceId: 'doomed' });
  // The node knows the conversation, so that a send is one statement.
  await client.ask('get-messages', { conversationId });
  proxy.swallow('toClient');
  for (const text of texts) client.socket.emit('send-message', { conversationId, content: { text } });
  for (;;) {
    const { rows } = await database.query('SELECT count(*)::int AS n FROM messages WHERE conversation_id = $1', [
      conversationId,
    ]);
    if (rows[0].n > 0) break;
    await pause(20);
  }
  node.process!.kill('SIGKILL');
}

describe('publication after a crash', () => {
  it('reaches connected recipients within 5 s when the node dies between commit and announcement', async () => {
    const conversationId = await directConversation(cluster.url(), 'alice', 'bob');
    const bob = await cluster.connect('bob', 0, { deviceId: 'phone' });
    await sendAndDie(conversationId, 'alice', ['from a dead node']);
    const diedAt = performance.now();
    const alice = await cluster.connect('alice', 0);
    await alice.ask('send-message', { conversationId, content: { text: 'and on' } });
    await bob.waitForCount('new-message', 2, 6_000);
    expect(performance.now() - diedAt).toBeLessThan(atMost(5_000));
    expect(bob.of<Message>('new-message').map(({ seq, content }) => [seq, content!['text']])).toEqual([
      [1, 'from a dead node'],
      [2, 'and on'],
    ]);
  });

  it('tells those who are silent, too: nothing else has to happen in the conversation', async () => {
    const conversationId = await directConversation(cluster.url(), 'carol', 'dave');
    const dave = await cluster.connect('dave', 0, { deviceId: 'phone' });
    await sendAndDie(conversationId, 'carol', ['unheard']);
    await dave.waitFor('new-message', undefined, 5_000);
    const { rows } = await database.query('SELECT count(*)::int AS n FROM outbox');
    expect(rows[0].n).toBeLessThan(2);
  });

  it('delivers again what a node had sent and got no proof of when it was killed', async () => {
    const conversationId = await directConversation(cluster.url(), 'gina', 'hugo');
    const gina = await cluster.connect('gina', 0);
    const node = await cluster.addNode();
    const toNode = await LossyProxy.to(Number(new URL(node.url).port));
    proxies.push(toNode);
    const first = await connect(toNode.url, 'hugo', { deviceId: 'phone' });
    // The node's pings reach the device, the pongs do not come back.
    toNode.swallow('toServer');
    await gina.ask('send-message', { conversationId, content: { text: 'unproven' } });
    await first.waitFor('new-message');
    // By now the node has asked for the proof.
    await pause(800);
    expect(gina.of('message-delivered')).toEqual([]);
    node.process!.kill('SIGKILL');
    first.close();
    const second = await cluster.connect('hugo', 0, { deviceId: 'phone' });
    expect((await second.waitFor<Message>('new-message')).content).toEqual({ text: 'unproven' });
    await gina.waitFor('message-delivered');
  });

  it('queues for those who are away', async () => {
    const conversationId = await directConversation(cluster.url(), 'erin', 'frank');
    const first = await cluster.connect('frank', 0, { deviceId: 'phone' });
    first.close();
    // Until the queue of the device is whole.
    await pause(6_000);
    await sendAndDie(conversationId, 'erin', ['for later']);
    await pause(4_000);
    const second = await cluster.connect('frank', 0, { deviceId: 'phone' });
    expect((await second.waitFor<Message>('new-message')).content).toEqual({ text: 'for later' });
  });
});
