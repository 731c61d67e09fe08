/** Turns what the wire carries into facts of the history. */
import type { Message } from '../../src/common/index.js';
import type { SawMessage, SawReaction, SawReceipt } from './history.js';

/** Which device saw it, and how. */
export type Sighting = Pick<SawMessage, 'd' | 'n' | 'via' | 'a'>;

export function sawMessage(sighting: Sighting, message: Message, isNew: boolean): SawMessage {
  const { id, conversationId: c, seq, rev } = message;
  return { k: 'saw', ...sighting, c, id, seq, rev, text: textOf(message), reactions: reactionsOf(message), isNew };
}

export interface DeletedPayload {
  conversationId: string;
  messageId: string;
  seq: number;
  rev: number;
}

export function sawDeletion(
  sighting: Sighting,
  { conversationId: c, messageId: id, seq, rev }: DeletedPayload,
): SawMessage {
  return { k: 'saw', ...sighting, c, id, seq, rev, text: null, reactions: [], isNew: false };
}

export interface ReactionPayload {
  conversationId: string;
  messageId: string;
  rev: number;
  userId: string;
  emoji: string;
  added: boolean;
}

export function sawReaction({ d, n }: Sighting, payload: ReactionPayload): SawReaction {
  const { conversationId: c, messageId: id, rev, userId, emoji, added } = payload;
  return { k: 'saw-reaction', d, n, c, id, rev, reaction: `${emoji} ${userId}`, added };
}

export interface ReceiptPayload {
  conversationId: string;
  userId: string;
  deliveredSeq?: number;
  readSeq?: number;
}

export function sawReceipt({ d, n, via, a }: Sighting, payload: ReceiptPayload): SawReceipt {
  const { conversationId: c, userId: user, deliveredSeq, readSeq } = payload;
  return {
    k: 'receipt',
    d,
    n,
    via,
    a,
    c,
    user,
    ...(deliveredSeq === undefined ? {} : { delivered: deliveredSeq }),
    ...(readSeq === undefined ? {} : { read: readSeq }),
  };
}

function textOf({ content }: Message): string | null {
  return content === null ? null : String((content as { text?: unknown }).text);
}

function reactionsOf({ reactions }: Message): string[] {
  return Object.entries(reactions)
    .flatMap(([emoji, { userIds }]) => userIds.map((userId) => `${emoji} ${userId}`))
    .sort();
}
