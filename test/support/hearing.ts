import type { Message } from '../../src/common/index.js';
import type { TestClient } from './client.js';

/**
 * The `seq` of the messages that a client received in a conversation, in the order of first
 * arrival.
 */
export function seqsHeard(client: TestClient, conversationId: string): number[] {
  const messages = client.of<Message>('new-message').filter((message) => message.conversationId === conversationId);
  return [...new Set(messages.map((message) => message.seq))];
}

/** first, first + 1 … last. */
export function range(first: number, last: number): number[] {
  return Array.from({ length: last - first + 1 }, (_, i) => first + i);
}

/** Sends texts one after another, each after the ack of the one before. */
export async function sendTexts(client: TestClient, conversationId: string, texts: string[]): Promise<Message[]> {
  const sent: Message[] = [];
  for (const text of texts) {
    const { message } = await client.ask<{ message: Message }>('send-message', { conversationId, content: { text } });
    sent.push(message);
  }
  return sent;
}
