import type { MessageDeletedEvent, SendMessage, ServerEvents } from '../common/wire-events.js';
import type { Message } from '../common/wire.js';
import type { ChatError } from './chat-error.js';
import type { StateChange } from './dialer.js';

/** A message to send; `clientMessageId` is made up where left out. */
export type OutgoingMessage = SendMessage;

/** A message on its way. */
export interface OutboxEntry {
  conversationId: string;
  /** The same over all tries, also after a restart; the stored message carries it. */
  clientMessageId: string;
  /** The message to send. */
  message: SendMessage;
  /** When the app gave it, ISO 8601, by this device's clock. */
  queuedAt: string;
}

/** A message of this client that is stored. */
export interface SentMessage {
  entry: OutboxEntry;
  message: Message;
  /** True: an earlier try had got through. */
  duplicate: boolean;
}

/** A message that will not be sent, since it was refused for good or taken back. */
export interface FailedMessage {
  entry: OutboxEntry;
  error: ChatError;
}

/** A message was deleted. Fields that only `sync` could deliver are null, `deletedBy` too. */
export interface DeletedMessage extends Omit<MessageDeletedEvent, 'seq' | 'rev' | 'deletedAt'> {
  seq: number | null;
  rev: number | null;
  deletedAt: string | null;
}

/** The client has caught up with what happened while it was away. */
export interface Synced {
  /** Things that had changed. */
  changes: number;
}

/**
 * The events of a client: the server's (docs/asyncapi.yaml) and its own. Names and payloads are
 * those of the wire unless a comment says otherwise.
 *
 * Events of messages, receipts, conversations and participants come one after the other: the next
 * one when all handlers of the last are through. Each state of a message comes once, by `(id,
 * rev)`, and none after a newer one.
 *
 * @since 0.1.0
 */
export interface ParleyEvents extends Omit<ServerEvents, 'message-deleted' | 'error'> {
  /**
   * A message this client has not had: sent by others, or by the user on another device or socket.
   */
  'new-message': Message;
  /** A message is now so: edited; or, told by `sync` after an absence, changed in any way. */
  'message-edited': Message;
  /**
   * Deleted for everyone (scope `everyone`; expired: `deletedBy` null), or for this user only
   * (`me`).
   */
  'message-deleted': DeletedMessage;
  /** A conversation is now so; also one that is new since the last connection. */
  'conversation-updated': ServerEvents['conversation-updated'];
  /** The user takes part no more. */
  'conversation-removed': { conversationId: string };
  /** In the outbox, and in its storage. */
  'message-queued': OutboxEntry;
  'message-sent': SentMessage;
  'message-failed': FailedMessage;
  state: StateChange;
  /** After each connect, before the live events of that connection. */
  synced: Synced;
  /** A failure nobody waits for: a handler's, the storage's, one the server told of unasked. */
  error: ChatError;
}
