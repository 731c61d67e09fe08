import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Message } from '../../src/common/index.js';
import { TestCluster } from '../support/cluster.js';
import type { TestClient } from '../support/client.js';
import { directConversation } from '../support/conversations.js';
import { scene } from '../support/message-life.js';
import { TcpProxy } from '../support/tcp-proxy.js';

const patienceMs = 15_000;

describe('changes made while nodes could not talk', () => {
  let cluster: TestCluster;

  beforeAll(async () => {
    cluster = await TestCluster.start({ nodes: 2 });
  });

  afterAll(() => cluster?.stop());

  it('reach the other node’s sockets as what they were', async () => {
    const { alice, clients, say } = await scene(cluster, 'direct', ['alice', 'bob']);
    const bob = clients[1]!;
    const reactedTo = await say(alice, 'reacted to');
    const edited = await say(alice, 'edited, then reacted to');
    const deleted = await say(alice, 'deleted');
    const hidden = await say(alice, 'hidden');
    await bob.waitForCount('new-message', 4);
    await bob.ask('delete-message', { messageId: hidden.id, scope: 'me' });
    await cluster.redis!.stop();
    await alice.ask('add-reaction', { messageId: reactedTo.id, emoji: '👍' });
    await alice.ask('add-reaction', { messageId: reactedTo.id, emoji: '🎉' });
    await alice.ask('remove-reaction', { messageId: reactedTo.id, emoji: '👍' });
    await alice.ask('edit-message', { messageId: edited.id, content: { text: 'new' } });
    await alice.ask('add-reaction', { messageId: edited.id, emoji: '👍' });
    await alice.ask('delete-message', deleted.id);
    await alice.ask('edit-message', { messageId: hidden.id, content: { text: 'unseen' } });
    const sent = await say(alice, 'sent, then reacted to');
    const last = await alice.ask<{ message: Message }>('add-reaction', { messageId: sent.id, emoji: '👍' });
    await cluster.redis!.restart();
    const arrived = await bob.waitFor<Message>('new-message', ({ id }) => id === sent.id, patienceMs);
    expect(arrived).toEqual(last.message);
    const reactions = bob.of('reaction-changed').filter(({ messageId }) => messageId === reactedTo.id);
    expect(reactions.map(({ emoji, added }) => [emoji, added])).toEqual([
      ['🎉', true],
      ['👍', false],
    ]);
    const toNews = bob.of('reaction-changed').filter(({ messageId }) => messageId === sent.id);
    expect(toNews.map(({ emoji, rev }) => [emoji, rev])).toEqual([['👍', last.message.rev]]);
    const { content, reactions: shown } = bob.of<Message>('message-edited').find(({ id }) => id === edited.id)!;
    expect([content, Object.keys(shown)]).toEqual([{ text: 'new' }, ['👍']]);
    expect(bob.of<Message>('message-edited').map(({ id }) => id)).not.toContain(hidden.id);
    expect(bob.of<Message>('message-edited').map(({ id }) => id)).not.toContain(reactedTo.id);
    expect(bob.of('message-deleted').map(({ messageId }) => messageId)).toEqual([deleted.id]);
  });

  it('bring news in the order of seq, though an earlier one was edited after a later one was sent', async () => {
    const { alice, clients, say } = await scene(cluster, 'direct', ['carol', 'dave']);
    const dave = clients[1]!;
    await say(alice, 'before');
    await dave.waitForCount('new-message', 1);
    await cluster.redis!.stop();
    const first = await say(alice, 'first');
    const last = await say(alice, 'last');
    await alice.ask('edit-message', { messageId: first.id, content: { text: 'edited' } });
    await cluster.redis!.restart();
    await dave.waitFor('message-edited', undefined, patienceMs);
    const news = dave.of<Message>('new-message').slice(1);
    expect(news.map(({ id, content }) => [id, content])).toEqual([
      [first.id, { text: 'edited' }],
      [last.id, { text: 'last' }],
    ]);
  });
});

describe('a conversation that a node first meets while it is cut off', () => {
  let cluster: TestCluster;
  let redis: TcpProxy;
  let sql: pg.Pool;

  beforeAll(async () => {
    cluster = await TestCluster.start({ nodes: 1 });
    sql = new pg.Pool({ connectionString: cluster.database.url, max: 1 });
    redis = await TcpProxy.start(cluster.redis!.url);
  });

  afterAll(async () => {
    await sql?.end();
    await cluster?.stop();
    await redis?.close();
  });

  const numberOf = async (text: string, value: string): Promise<number> => {
    const { rows } = await sql.query<Record<string, unknown>>(text, [value]);
    return Number(Object.values(rows[0]!)[0]);
  };

  /**
   * Bob, whose device lacks nothing, on a node that has heard of no change; alice beside him on
   * another.
   */
  async function meeting(alice: string, bob: string) {
    const conversationId = await directConversation(cluster.url(), alice, bob);
    const elsewhere = await directConversation(cluster.url(), alice, `${bob}-too`);
    const atAlice = await cluster.connect(alice, 0);
    const say = async (client: TestClient, text: string, where = conversationId) => {
      await client.ask('send-message', { conversationId: where, content: { text } });
    };
    /**
     * All nodes that could be reached have been told, and no row of the outbox says so any more.
     */
    const isTold = async (): Promise<void> => {
      await expect
        .poll(async () => {
          await say(atAlice, 'elsewhere', elsewhere);
          return numberOf(`SELECT count(*) FROM outbox WHERE strpos(notices::text, $1) > 0`, conversationId);
        })
        .toBe(0);
    };
    await say(atAlice, 'before');
    await isTold();
    await cluster.addNode({ redisUrl: redis.url });
    const node = cluster.nodes.length - 1;
    const earlier = await cluster.connect(bob, node, { deviceId: 'tablet' });
    await expect
      .poll(() => numberOf(`SELECT max(rev) FROM device_cursors WHERE device_id = 'tablet' AND user_id = $1`, bob))
      .toBe(1);
    earlier.close();
    const tablet = await cluster.connect(bob, node, { deviceId: 'tablet', ackMode: 'manual' });
    const texts = (): string[] =>
      tablet.of<Message>('new-message').map(({ content }) => (content as { text: string }).text);
    const sayTwice = async (): Promise<void> => {
      await say(atAlice, 'one');
      await say(atAlice, 'two');
      await isTold();
    };
    return { node, say, sayTwice, texts };
  }

  it('is told whole when the node is back, also what came before its first change there', async () => {
    const { node, say, sayTwice, texts } = await meeting('erin', 'frank');
    const phone = await cluster.connect('frank', node, { deviceId: 'phone' });
    await redis.close();
    await sayTwice();
    await say(phone, 'three');
    await expect.poll(texts).toContain('three');
    await redis.open();
    await expect.poll(() => texts().sort(), { timeout: patienceMs }).toEqual(['one', 'three', 'two']);
  });
});
