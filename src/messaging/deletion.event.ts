import type { ServerEvents } from '../common/index.js';
import { isoTime } from '../conversations/index.js';
import type { MessageChange } from './message-change.js';

/** A message that was deleted for everyone. */
export interface BuriedMessage {
  id: string;
  seq: number;
  rev: number;
  deletedAt: Date | string;
}

export type DeletionScope = 'everyone' | 'me';

/** The payload of `message-deleted` (contract, section 5). */
export type MessageDeleted = ServerEvents['message-deleted'];

export function messageDeleted(
  conversationId: string,
  { id, seq, rev, deletedAt }: BuriedMessage,
  deletedBy: string | null,
  scope: DeletionScope = 'everyone',
): MessageDeleted {
  return { conversationId, messageId: id, seq, rev, deletedBy, deletedAt: isoTime(deletedAt), scope };
}

/** The same as a change for the feed, heard by everybody. */
export function deletionChange(conversationId: string, buried: BuriedMessage, deletedBy: string | null): MessageChange {
  const payload = { ...messageDeleted(conversationId, buried, deletedBy) };
  return { rev: buried.rev, seq: buried.seq, event: 'message-deleted', payload, exceptConnectionId: null };
}
