/**
 * The client SDK on two nodes: every verb, tokens, devices, what was missed, what was not sent yet.
 */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { ChatError, MemoryStorage, type ClientOptions } from '../../src/client/index.js';
import { rest, tokenFor } from '../support/client.js';
import { TestCluster } from '../support/cluster.js';
import { groupConversation, mutualConversation } from '../support/conversations.js';
import { closeAll, sdk, textOf, type RecordedClient } from '../support/sdk.js';

let cluster: TestCluster;
let users = 0;

beforeAll(async () => {
  cluster = await TestCluster.start({ nodes: 2, settings: { presenceGraceMs: 100 } });
});
afterEach(closeAll);
afterAll(() => cluster.stop());

async function scene(options: Partial<ClientOptions> = {}) {
  users += 1;
  const [alice, bob] = [`alice-${users}`, `bob-${users}`];
  const conversationId = await mutualConversation(cluster.url(), alice, bob);
  const sender = sdk(cluster.url(0), alice, { deviceId: 'laptop' });
  const reader = sdk(cluster.url(1), bob, { deviceId: 'phone', ...options });
  await Promise.all([sender.connect(), reader.connect()]);
  await reader.untilHanded('synced');
  const say = async (text: string) => (await sender.send({ conversationId, content: { text } })).message;
  return { alice, bob, conversationId, sender, reader, say };
}

/** The same installation of the app, started anew. */
function again(user: string, options: Partial<ClientOptions>, node = 0): RecordedClient {
  return sdk(cluster.url(node), user, { deviceId: 'phone', ...options });
}

describe('the client', () => {
  it('has every verb of a conversation, and hands over what the other side does', async () => {
    const { bob, conversationId, sender, reader, say } = await scene();
    const { conversation } = await sender.joinConversation(conversationId);
    expect(conversation.participants.map(({ userId }) => userId)).toContain(bob);
    await reader.joinConversation(conversationId);
    await reader.startTyping(conversationId);
    await sender.untilHanded('user-typing');
    expect((await sender.getTypingUsers(conversationId)).userIds).toEqual([bob]);
    await reader.stopTyping(conversationId);
    const message = await say('Helo');
    expect(sender.of('message-sent')).toMatchObject([{ duplicate: false, message: { id: message.id } }]);
    await sender.editMessage({ messageId: message.id, content: { text: 'Hello' }, expectedRev: message.rev });
    await sender.addReaction(message.id, '👍');
    await sender.removeReaction(message.id, '👍');
    await reader.untilHanded('reaction-changed', 2);
    expect(reader.texts()).toEqual(['Helo']);
    expect(reader.of('message-edited').map(textOf)).toEqual(['Hello']);
    await reader.markDelivered({ conversationId, seq: 1 });
    expect(await reader.markRead({ conversationId, messageId: message.id })).toMatchObject({ readSeq: 1 });
    await sender.untilHanded('messages-read');
    expect((await sender.getMessageStatus(message.id)).status).toBe('read');
    expect((await reader.getMessages({ conversationId })).messages.map(textOf)).toEqual(['Hello']);
    await sender.deleteMessage(message.id);
    await reader.untilHanded('message-deleted');
    expect(reader.of('message-deleted')).toMatchObject([{ messageId: message.id, scope: 'everyone' }]);
    await reader.leaveConversation(conversationId);
    expect(reader.of('error')).toEqual([]);
  });

  it('has presence and the clock', async () => {
    const { bob, sender, reader } = await scene();
    expect((await sender.subscribePresence([bob])).presences).toMatchObject([{ userId: bob, status: 'online' }]);
    await reader.setOffline();
    await sender.untilHanded('user-offline');
    await reader.setOnline('away');
    await sender.untilHanded('user-online');
    expect((await sender.getPresence([bob])).presences).toMatchObject([{ status: 'away' }]);
    await sender.unsubscribePresence([bob]);
    await sender.request('heartbeat');
    expect(Math.abs(sender.clockOffsetMs)).toBeLessThan(5_000);
  });

  it('rejects with the error of the contract', async () => {
    const { reader, conversationId } = await scene();
    const refused = await reader
      .addReaction('00000000-0000-7000-8000-000000000000', '👍')
      .catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(ChatError);
    expect(refused).toMatchObject({ code: 'NOT_FOUND', retryable: false, event: 'add-reaction' });
    const invalid = await reader.send({ conversationId, content: { text: 7 } }).catch((error: unknown) => error);
    expect(invalid).toMatchObject({ code: 'VALIDATION_FAILED', details: [{ path: 'content.text' }] });
  });
});

describe('tokens', () => {
  it('are renewed before they end, and the session stays', async () => {
    let tokens = 0;
    const client = sdk(cluster.url(), 'renewed', {
      token: () => tokenFor('renewed', { expiresInSeconds: (tokens += 1) === 1 ? 3 : 600 }),
      refreshBeforeMs: 2_000,
    });
    const { sessionId } = await client.connect();
    await client.until(() => tokens === 2, 'a second token');
    await new Promise((resolve) => setTimeout(resolve, 2_500));
    expect(client.session?.sessionId).toBe(sessionId);
    expect(tokens).toBe(2);
  });

  it('that have ended are replaced, at the handshake and while connected', async () => {
    let tokens = 0;
    // One that has ended, one that ends at once, a good one.
    const lifetimes = [-60, 1];
    const client = sdk(cluster.url(), 'expired', {
      token: () => tokenFor('expired', { expiresInSeconds: lifetimes[tokens++] ?? 600 }),
      refreshBeforeMs: -60_000,
    });
    await client.connect();
    expect(tokens).toBe(2);
    await client.until(() => tokens === 3 && client.state === 'online', 'a third token');
    expect(client.of('error')).toEqual([]);
  });

  it('that nobody can replace stop the client', async () => {
    const token = await tokenFor('late', { expiresInSeconds: -60 });
    await expect(sdk(cluster.url(), 'late', { token }).connect()).rejects.toMatchObject({ code: 'TOKEN_EXPIRED' });
  });

  it('of a device that was removed are of no use: it stays away', async () => {
    const { bob, reader } = await scene();
    expect((await rest(cluster.url(), bob, 'DELETE', '/v1/me/devices/phone')).status).toBe(204);
    await reader.untilState('stopped');
    expect(reader.of('state').at(-1)).toMatchObject({ error: { code: 'TOKEN_REVOKED' } });
  });
});

describe('manual acknowledgement', () => {
  it('claims delivery when the handlers are through, not before', async () => {
    const { sender, reader, say } = await scene({ ackMode: 'manual' });
    let finish = () => undefined as void;
    reader.on('new-message', () => new Promise<void>((resolve) => (finish = resolve)));
    await say('a');
    await reader.untilHanded('new-message');
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(sender.of('message-delivered')).toEqual([]);
    finish();
    await sender.untilHanded('message-delivered');
  });

  it('gets again what a handler did not take, and changes too, until they are taken', async () => {
    const { bob, sender, reader, say } = await scene({ ackMode: 'manual' });
    const first = await say('a');
    await sender.untilHanded('message-delivered');
    const off = reader.on('message-edited', () => Promise.reject(new Error('no')));
    await sender.editMessage({ messageId: first.id, content: { text: 'b' } });
    await say('c');
    await reader.untilHanded('new-message', 2);
    expect(reader.of('error')).toMatchObject([{ code: 'HANDLER_FAILED' }]);
    off();
    reader.disconnect();
    await reader.connect();
    await reader.untilHanded('message-edited', 2);
    await sender.until(() => sender.of('message-delivered').at(-1)?.deliveredSeq === 2, 'delivered');
    await reader.close();
    // Nothing is left for another run of the app, which remembers nothing.
    const next = again(bob, { ackMode: 'manual' }, 1);
    await next.connect();
    await say('d');
    await next.untilHanded('new-message');
    expect(next.texts()).toEqual(['d']);
    expect(next.of('message-edited')).toEqual([]);
  });
});

describe('absence', () => {
  it('is made good once: messages, changes, receipts, conversations', async () => {
    const storage = new MemoryStorage();
    const { alice, bob, conversationId, sender, reader, say } = await scene({ storage });
    const kept = await say('kept');
    const gone = await say('gone');
    const own = await reader.send({ conversationId, content: { text: 'own' } });
    await reader.untilHanded('new-message', 2);
    await reader.close();

    await sender.editMessage({ messageId: kept.id, content: { text: 'edited' } });
    await sender.deleteMessage(gone.id);
    await sender.markRead({ conversationId, messageId: own.message.id });
    await say('new');
    const group = await groupConversation(cluster.url(), alice, [bob]);
    const back = again(bob, { storage });
    await back.connect();
    await back.untilHanded('synced');
    expect(
      back
        .of('conversation-updated')
        .map(({ id }) => id)
        .sort(),
    ).toEqual([conversationId, group].sort());
    expect(back.texts()).toEqual(['new']);
    expect(back.of('message-edited').map(textOf)).toEqual(expect.arrayContaining(['edited']));
    expect(back.of('message-deleted').map(({ messageId }) => messageId)).toEqual([gone.id]);
    expect(back.of('messages-read')).toMatchObject([{ userId: alice, readSeq: 3 }]);
    await back.close();

    expect((await rest(cluster.url(), alice, 'DELETE', `/v1/conversations/${group}/participants/${bob}`)).status).toBe(
      204,
    );
    const later = again(bob, { storage }, 1);
    await later.connect();
    await later.untilHanded('synced');
    expect(later.of('conversation-removed')).toEqual([{ conversationId: group }]);
    expect(later.texts()).toEqual([]);
    expect(later.of('message-edited')).toEqual([]);
  });

  it('can begin with everything, in pages', async () => {
    const { bob, conversationId, say } = await scene();
    for (const text of ['a', 'b', 'c', 'd', 'e']) await say(text);
    const fresh = again(bob, { deviceId: 'tablet', firstSync: 'everything', pageSize: 2 });
    await fresh.connect();
    await fresh.untilHanded('synced');
    expect(fresh.texts()).toEqual(['a', 'b', 'c', 'd', 'e']);
    expect(fresh.of('conversation-updated').map(({ id }) => id)).toEqual([conversationId]);
  });

  it('does not lose what the app had not sent, over a restart', async () => {
    const storage = new MemoryStorage();
    const { bob, conversationId, sender, reader } = await scene({ storage });
    reader.disconnect();
    for (const text of ['a', 'b', 'c']) void reader.send({ conversationId, content: { text } });
    await reader.untilHanded('message-queued', 3);
    await reader.close();

    const back = again(bob, { storage });
    // Before what is stored has been read.
    void back.send({ conversationId, content: { text: 'd' } });
    expect((await back.pendingMessages()).map(({ message }) => message.content)).toEqual([
      { text: 'a' },
      { text: 'b' },
      { text: 'c' },
      { text: 'd' },
    ]);
    await back.connect();
    await sender.untilHanded('new-message', 4);
    expect(sender.texts()).toEqual(['a', 'b', 'c', 'd']);
    await back.untilHanded('message-sent', 4);
    await back.close();
    expect(await again(bob, { storage }).pendingMessages()).toEqual([]);
  });
});
