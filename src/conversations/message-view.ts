import type { Message, Reaction } from '../common/index.js';

/**
 * A row of `messages` as {@link messageColumns} selects it, or as JSON made of such a row (then
 * times are texts).
 */
export interface MessageRow {
  id: string;
  conversation_id: string;
  seq: number;
  rev: number;
  sender_id: string;
  client_message_id: string | null;
  type: string;
  content: Record<string, unknown> | null;
  reply_to: string | null;
  mentions: string[];
  reactions: Record<string, Reaction> | null;
  created_at: Date | string;
  edited_at: Date | string | null;
  deleted_at: Date | string | null;
  expires_at: Date | string | null;
  [column: string]: unknown;
}

const columns = [
  'id',
  'conversation_id',
  'seq',
  'rev',
  'sender_id',
  'client_message_id',
  'type',
  'content',
  'reply_to',
  'mentions',
  'reactions',
  'created_at',
  'edited_at',
  'deleted_at',
  'expires_at',
];

/** SQL: the columns {@link toMessage} needs. @param alias of `messages` */
export function messageColumns(alias: string): string {
  return columns.map((column) => `${alias}.${column}`).join(', ');
}

/**
 * SQL: whether a participant may see a message: not from before he joined, not hidden by him
 * (`delete-message` with scope `me`; by the primary key of `hidden_messages`), not expired.
 * Tombstones are visible.
 *
 * @param message alias of `messages`
 * @param participant alias of something with the columns `user_id` and `joined_seq`; that he has
 *   not left is the caller's business
 */
export function messageVisibleTo(message: string, participant: string): string {
  return `${message}.seq > ${participant}.joined_seq
    AND (${message}.expires_at IS NULL OR ${message}.expires_at > now())
    AND NOT EXISTS (SELECT 1 FROM hidden_messages h WHERE h.user_id = ${participant}.user_id
                      AND h.conversation_id = ${message}.conversation_id AND h.seq = ${message}.seq)`;
}

/** A message as clients get it; of a deleted one only the place in the order is left. */
export function toMessage(row: MessageRow): Message {
  const isDeleted = row.deleted_at !== null;
  return {
    id: row.id,
    conversationId: row.conversation_id,
    seq: row.seq,
    rev: row.rev,
    senderId: row.sender_id,
    clientMessageId: row.client_message_id,
    type: row.type,
    content: isDeleted ? null : row.content,
    replyTo: row.reply_to,
    mentions: isDeleted ? [] : row.mentions,
    reactions: isDeleted ? {} : (row.reactions ?? {}),
    createdAt: isoTime(row.created_at),
    editedAt: isoTime(row.edited_at),
    deletedAt: isoTime(row.deleted_at),
    expiresAt: isoTime(row.expires_at),
  };
}

/** ISO 8601 in UTC, with milliseconds. @param time a Date, or a time in Postgres' JSON */
export function isoTime(time: Date | string): string;
export function isoTime(time: Date | string | null): string | null;
export function isoTime(time: Date | string | null): string | null {
  return time === null ? null : new Date(time).toISOString();
}
