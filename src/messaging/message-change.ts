import type { Message } from '../common/index.js';
import type { CommittedChanges } from '../conversations/index.js';

/** One change of a conversation's messages as sockets hear of it. */
export interface MessageChange {
  /** Place in the conversation's order of changes. */
  rev: number;
  /** The message's place; recipients who joined later do not hear of it. */
  seq: number;
  event: 'new-message' | 'message-edited' | 'message-deleted' | 'reaction-changed';
  payload: Message | Record<string, unknown>;
  /** The connection that acted and has its answer already. */
  exceptConnectionId: string | null;
  /** Users who have deleted the message for themselves: nothing of it reaches them. */
  hiddenFrom?: string[];
}

/** What was done to one conversation's messages. */
export interface PlacedChanges {
  place: { conversationId: string; version: number };
  /** Contiguous revs. */
  changes: MessageChange[];
}

/**
 * Tells nodes that the changes `fromRev` to `toRev` of a conversation are committed.
 *
 * With `changes` they are all there; without (from the outbox, after a crash) the node reads them
 * from Postgres.
 */
export interface MessagesNotice extends CommittedChanges {
  changes?: MessageChange[];
}
