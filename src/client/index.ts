/**
 * `parley/client`: the client SDK. Runs in browsers and in Node, on stock `socket.io-client`;
 * imports nothing else, and of the server only the types of the wire.
 *
 * Guarantees: what is sent is stored once, in the order sent, over lost connections and (with a
 * storage that lasts) restarts of the app; each state of a message reaches the handlers once, none
 * after a newer one; nothing that was missed is skipped. Does not guarantee that a message is
 * handed over once over restarts: then it may come again, and apps that store messages compare
 * `rev`. See docs/client.md.
 */
export { ParleyClient } from './parley-client.js';
export { ChatVerbs } from './chat-verbs.js';
export { ChatError, type ChatErrorCode, type ClientErrorCode } from './chat-error.js';
export type { ClientOptions } from './client.options.js';
export { MemoryStorage, type ClientStorage } from './client.storage.js';
export type {
  DeletedMessage,
  FailedMessage,
  OutboxEntry,
  OutgoingMessage,
  ParleyEvents,
  SentMessage,
  Synced,
} from './client.events.js';
export type { ConnectionState, StateChange } from './dialer.js';
export type { Handler } from './emitter.js';

// The types of the wire.
export type * from '../common/wire-events.js';
export type {
  Conversation,
  ConversationKind,
  Message,
  Participant,
  Presence,
  PresenceStatus,
  Reaction,
  Role,
} from '../common/wire.js';
