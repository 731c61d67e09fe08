/**
 * `docs/asyncapi.yaml` against the server: every event is sent and heard once, and is as the
 * document says.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import Ajv from 'ajv';
import addFormats from 'ajv-formats';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { parse } from 'yaml';
import type { Message } from '../../src/common/index.js';
import { rest, tokenFor, type TestClient } from '../support/client.js';
import { TestCluster } from '../support/cluster.js';
import { mutualConversation, groupConversation } from '../support/conversations.js';

const document = parse(readFileSync(join(import.meta.dirname, '..', '..', 'docs', 'asyncapi.yaml'), 'utf8')) as {
  components: { messages: Record<string, object> };
};
const ajv = new Ajv.default({ strict: false, allErrors: true });
addFormats.default(ajv);
ajv.addSchema(document, 'asyncapi');

let cluster: TestCluster;
beforeAll(async () => {
  cluster = await TestCluster.start({ settings: { presenceGraceMs: 100 } });
});
afterAll(() => cluster?.stop());

/** What the document holds against a payload. */
function faults(message: string, payload: unknown): string[] {
  const pointer = `asyncapi#/components/messages/${message.replaceAll('/', '~1')}/payload`;
  const check = ajv.getSchema(pointer);
  if (!check) return [`${message} is not in the document`];
  if (check(payload) as boolean) return [];
  return [`${message}: ${ajv.errorsText(check.errors)} in ${JSON.stringify(payload)}`];
}

const asked = new Set<string>();
const wrong: string[] = [];

async function ask(client: TestClient, event: string, ...args: unknown[]): Promise<any> {
  const ack = (await client.socket.timeout(5_000).emitWithAck(event, ...args)) as { ok: boolean; data: unknown };
  asked.add(event);
  if (!ack.ok) wrong.push(`${event} failed: ${JSON.stringify(ack)}`);
  wrong.push(...faults(event, args[0] ?? null), ...faults(`${event}.ack`, ack));
  return ack.data;
}

async function converse(alice: TestClient, bob: TestClient): Promise<void> {
  const conversationId = await mutualConversation(cluster.url(), 'w-alice', 'w-bob');
  for (const client of [alice, bob]) await ask(client, 'join-conversation', conversationId);
  await ask(alice, 'typing-start', { conversationId });
  await bob.waitFor('user-typing');
  await ask(bob, 'get-typing-users', conversationId);
  await ask(alice, 'typing-stop', { conversationId });
  const send = {
    conversationId,
    content: { text: 'one' },
    clientMessageId: 'c-1',
    mentions: ['w-bob'],
    expiresInSeconds: 900,
  };
  const { message } = (await ask(alice, 'send-message', send)) as { message: Message };
  await ask(alice, 'send-message', { conversationId, content: { text: 'two' }, replyTo: message.id });
  await ask(alice, 'edit-message', { messageId: message.id, content: { text: 'One' }, expectedRev: 1 });
  await ask(bob, 'add-reaction', { messageId: message.id, emoji: '👍' });
  await ask(bob, 'get-messages', { conversationId, limit: 10 });
  await ask(bob, 'mark-delivered', { conversationId, seq: 1 });
  await ask(bob, 'mark-read', { conversationId, messageId: message.id });
  await ask(alice, 'get-message-status', message.id);
  await ask(bob, 'remove-reaction', { messageId: message.id, emoji: '👍' });
  await ask(bob, 'sync', { since: null });
  await ask(alice, 'delete-message', { messageId: message.id });
  await ask(bob, 'sync', { since: null });
  await ask(bob, 'leave-conversation', conversationId);
}

it('every client event, its answer and every server event are as the document says', async () => {
  const alice = await cluster.connect('w-alice');
  const bob = await cluster.connect('w-bob', 1, { ackMode: 'manual' });
  await converse(alice, bob);

  await ask(alice, 'subscribe-presence', ['w-bob', 'w-nobody']);
  await ask(bob, 'user-offline');
  await alice.waitFor('user-offline');
  await ask(bob, 'user-online', { status: 'away' });
  await alice.waitFor('user-online');
  await ask(alice, 'get-presence', { userIds: ['w-bob'] });
  await ask(alice, 'unsubscribe-presence', { userIds: ['w-bob'] });
  await ask(alice, 'heartbeat');
  await ask(alice, 'refresh-token', { token: await tokenFor('w-alice') });

  const groupId = await groupConversation(cluster.url(), 'w-alice', ['w-bob']);
  await rest(cluster.url(), 'w-alice', 'PATCH', `/v1/conversations/${groupId}`, { title: 'Another' });
  await rest(cluster.url(), 'w-alice', 'POST', `/v1/conversations/${groupId}/participants`, { userIds: ['w-carol'] });
  await rest(cluster.url(), 'w-alice', 'DELETE', `/v1/conversations/${groupId}/participants/w-carol`);
  bob.socket.emit('send-message', { conversationId: 'nowhere' });
  for (const event of [
    'conversation-created',
    'conversation-updated',
    'participant-added',
    'participant-removed',
    'error',
  ]) {
    await bob.waitFor(event);
  }
  const told = Object.keys(document.components.messages).flatMap((name) =>
    name.startsWith('told.') ? [name.slice(5)] : [],
  );
  const heard = [...alice.heard, ...bob.heard];
  wrong.push(...heard.flatMap(({ event, payload }) => faults(`told.${event}`, payload)));
  expect(wrong).toEqual([]);
  expect(told.filter((event) => !heard.some((one) => one.event === event))).toEqual([]);
  const taken = Object.keys(document.components.messages).filter((name) => !/^told\.|\.ack$/.test(name));
  expect(taken.filter((event) => !asked.has(event))).toEqual([]);
  expect(faults('told.new-message', { id: 'x' })).not.toEqual([]);
});
