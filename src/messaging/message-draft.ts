import type { Message } from '../common/index.js';

/** A message on its way to the database: everything is decided but its place. */
export interface PendingMessage {
  id: string;
  conversationId: string;
  senderId: string;
  clientMessageId: string | null;
  fingerprint: string | null;
  type: string;
  content: Record<string, unknown>;
  /** `content` as it is stored. */
  contentJson: string;
  replyTo: string | null;
  mentions: string[];
  expiresInSeconds: number | null;
  /** The sending connection, which is not told of its own message. */
  connectionId: string | null;
}

/** What the database made of it. */
export type AppendOutcome =
  'appended' | 'duplicate' | 'conflict' | 'not-found' | 'blocked' | 'bad-reply' | 'bad-mention';

/** One answer of `append_messages`. */
export interface AppendRow {
  ordinal: number;
  outcome: AppendOutcome;
  /** The new message's id, or with `duplicate` and `conflict` the first one's. */
  messageId: string;
  seq: number;
  rev: number;
  createdAt: Date;
  expiresAt: Date | null;
  participantsVersion: number;
  /** The outbox row of the batch; the same in every row. */
  outboxId: number | null;
}

/** The wire object of a message just appended: what was asked for, and the place it got. */
export function appendedMessage(pending: PendingMessage, row: AppendRow): Message {
  return {
    id: pending.id,
    conversationId: pending.conversationId,
    seq: row.seq,
    rev: row.rev,
    senderId: pending.senderId,
    clientMessageId: pending.clientMessageId,
    type: pending.type,
    content: pending.content,
    replyTo: pending.replyTo,
    mentions: pending.mentions,
    reactions: {},
    createdAt: row.createdAt.toISOString(),
    editedAt: null,
    deletedAt: null,
    expiresAt: row.expiresAt?.toISOString() ?? null,
  };
}
