import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Message } from '../../src/common/index.js';
import { TestCluster } from '../support/cluster.js';
import { scene } from '../support/message-life.js';

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
