import { randomUUID } from 'node:crypto';
import type { Message } from '../../src/common/index.js';
import { type ConnectOptions, type TestClient } from './client.js';
import type { TestCluster } from './cluster.js';

/** Nothing but the test says what has arrived. */
export const manually: ConnectOptions = { ackMode: 'manual' };

/** User ids nobody else has, by the names. */
export function someUsers<N extends string>(...names: N[]): Record<N, string> {
  const suffix = randomUUID().slice(0, 8);
  return Object.fromEntries(names.map((name) => [name, `${name}-${suffix}`])) as Record<N, string>;
}

/** Sends as many messages, and resolves with them. */
export async function send(client: TestClient, conversationId: string, count = 1): Promise<Message[]> {
  const answers = await Promise.all(
    Array.from({ length: count }, (_, i) =>
      client.ask<{ message: Message }>('send-message', { conversationId, content: { text: `message ${i}` } }),
    ),
  );
  return answers.map(({ message }) => message);
}

/**
 * Resolves when everything in flight to these clients has arrived: each has received a later
 * message from each node, over the same connections.
 */
export async function quiet(cluster: TestCluster, conversationId: string, ...clients: TestClient[]): Promise<void> {
  const [first] = clients;
  for (let node = 0; node < cluster.nodes.length; node++) {
    const speaker = await cluster.connect(first!.userId, node, { ...manually, deviceId: `speaker-${node}` });
    const [fence] = await send(speaker, conversationId);
    await Promise.all(clients.map((client) => client.waitFor<Message>('new-message', ({ id }) => id === fence!.id)));
    speaker.close();
  }
}

/** The receipts that a client has received, in order. */
export function receiptsHeardBy(client: TestClient): unknown[] {
  return client.heard
    .filter(({ event }) => event === 'message-delivered' || event === 'messages-read')
    .map(({ event, payload }) => [event, payload.userId, payload.deliveredSeq ?? payload.readSeq]);
}
