import type { ErrorBody } from './chat-error.js';
import type { Conversation, Message, Presence, PresenceStatus, Role } from './wire.js';

/**
 * Every event of the wire contract (sections 4 and 5) with its payload. The client SDK takes its
 * types from here, and `docs/asyncapi.yaml` is made from it. `npm run docs:check` finds where it
 * differs from the gateways.
 */

/** The first event of a connection. */
export interface SessionReady {
  userId: string;
  deviceId: string;
  sessionId: string;
  serverTime: string;
  /** The position of this moment, for `sync`. */
  syncToken: string;
  /** How often to send `heartbeat`, if at all. */
  heartbeatIntervalMs: number;
}

export interface HeartbeatAck {
  serverTime: string;
  /** The position for `sync`: the client has everything up to it. */
  syncToken: string;
}

export interface MessageDeletedEvent {
  conversationId: string;
  messageId: string;
  seq: number;
  /** With scope `me` the message's unchanged one. */
  rev: number;
  /** Null: the server, because the message has expired. */
  deletedBy: string | null;
  deletedAt: string;
  scope: 'everyone' | 'me';
}

export interface ReactionChangedEvent {
  conversationId: string;
  messageId: string;
  rev: number;
  userId: string;
  emoji: string;
  /** False: taken away. */
  added: boolean;
}

export interface MessageDeliveredEvent {
  conversationId: string;
  userId: string;
  deliveredSeq: number;
  deliveredAt: string;
}

export interface MessagesReadEvent {
  conversationId: string;
  userId: string;
  readSeq: number;
  readAt: string;
}

export interface UserTypingEvent {
  conversationId: string;
  userId: string;
  isTyping: boolean;
  /** Null with the end of typing. */
  expiresAt: string | null;
  /** All who type there now. */
  userIds: string[];
}

export interface ParticipantAddedEvent {
  conversationId: string;
  userId: string;
  role: Role;
  /** The user who added them. */
  by: string;
}

export interface ParticipantRemovedEvent {
  conversationId: string;
  userId: string;
  /** The user who removed them, or the same user if they left. */
  by: string;
}

export interface PresenceList {
  presences: Presence[];
}

export interface ServerEvents {
  /** First event after a successful handshake. */
  'session-ready': SessionReady;
  /**
   * To all participants' sockets but the sending one. Sent again on the next connection of a device
   * that has not acknowledged it.
   */
  'new-message': Message;
  /** To all participants' sockets but the acting one. */
  'message-edited': Message;
  /** To all participants' sockets but the acting one; with scope `me` to the caller's. */
  'message-deleted': MessageDeletedEvent;
  /** To all participants' sockets but the acting one. */
  'reaction-changed': ReactionChangedEvent;
  /**
   * To the senders concerned: in a direct conversation the peer, in a group sockets that joined.
   */
  'message-delivered': MessageDeliveredEvent;
  /** As `message-delivered`, and to the reader's own other devices. */
  'messages-read': MessagesReadEvent;
  /** To contacts that may see it, and subscribers. */
  'user-online': Presence;
  /** To contacts that may see it, and subscribers. */
  'user-offline': Presence;
  /** To the socket that sent `get-presence`. */
  'presence-status': PresenceList;
  /** To joined sockets of the other participants. */
  'user-typing': UserTypingEvent;
  /** To the socket that sent `heartbeat`. */
  'heartbeat-ack': HeartbeatAck;
  /** To the sockets of all participants. */
  'conversation-created': Conversation;
  /** To the sockets of all participants. */
  'conversation-updated': Conversation;
  /** To the sockets of all participants. */
  'participant-added': ParticipantAddedEvent;
  /** To the sockets of all participants, and the removed one's. */
  'participant-removed': ParticipantRemovedEvent;
  /**
   * A failure of an event sent without an ack callback, or the reason of a disconnect that follows.
   */
  error: ErrorBody;
}

/** A request of a client, and its answer. */
interface Exchange<Request, Answer> {
  request: Request;
  answer: Answer;
}

interface OfConversation {
  conversationId: string;
}

interface OfMessage {
  messageId: string;
}

interface OfUsers {
  userIds: string[];
}

type Nothing = Record<string, never> | undefined;

export interface SendMessage extends OfConversation {
  type?: string;
  content: Record<string, unknown>;
  clientMessageId?: string | null;
  replyTo?: string | null;
  mentions?: string[] | null;
  expiresInSeconds?: number | null;
}

export interface SendMessageAnswer {
  message: Message;
  /** True for a retry: the message is the first one, stored before. */
  duplicate: boolean;
}

export interface GetMessages extends OfConversation {
  beforeSeq?: number;
  afterSeq?: number;
  limit?: number;
}

export interface GetMessagesAnswer {
  messages: Message[];
  hasMore: boolean;
}

export interface SyncAnswer {
  conversations: Conversation[];
  messages: Message[];
  receipts: {
    conversationId: string;
    userId: string;
    deliveredSeq: number;
    readSeq: number;
    deliveredAt: string | null;
    readAt: string | null;
  }[];
  hidden: { conversationId: string; messageId: string }[];
  removed: string[];
  next: string;
  hasMore: boolean;
}

export interface MessageStatusAnswer {
  messageId: string;
  status: 'sent' | 'delivered' | 'read';
  deliveredTo: { userId: string; at: string }[];
  readBy: { userId: string; at: string }[];
  participantCount: number;
}

type MarkRead = OfConversation & { seq?: number | null; messageId?: string | null; messageIds?: string[] | null };

export interface ClientEvents {
  'join-conversation': Exchange<OfConversation, { conversation: Conversation; typing: string[] }>;
  'leave-conversation': Exchange<OfConversation, OfConversation>;
  'send-message': Exchange<SendMessage, SendMessageAnswer>;
  'edit-message': Exchange<
    OfMessage & { content: Record<string, unknown>; expectedRev?: number | null },
    { message: Message }
  >;
  'delete-message': Exchange<
    OfMessage & { scope?: 'everyone' | 'me' | null },
    { messageId: string; scope: 'everyone' | 'me' }
  >;
  'mark-delivered': Exchange<
    OfConversation & { seq: number; rev?: number | null },
    { conversationId: string; deliveredSeq: number }
  >;
  'mark-read': Exchange<MarkRead, { conversationId: string; readSeq: number }>;
  'get-message-status': Exchange<OfMessage, MessageStatusAnswer>;
  'add-reaction': Exchange<OfMessage & { emoji: string }, { message: Message }>;
  'remove-reaction': Exchange<OfMessage & { emoji: string }, { message: Message }>;
  'get-messages': Exchange<GetMessages, GetMessagesAnswer>;
  sync: Exchange<{ since: string | null; limit?: number | null }, SyncAnswer>;
  'user-online': Exchange<{ status?: Exclude<PresenceStatus, 'offline' | 'unknown'> } | undefined, Presence>;
  'user-offline': Exchange<Nothing, Presence>;
  'get-presence': Exchange<OfUsers, PresenceList>;
  'subscribe-presence': Exchange<OfUsers, PresenceList>;
  'unsubscribe-presence': Exchange<OfUsers, PresenceList>;
  heartbeat: Exchange<Nothing, HeartbeatAck>;
  'typing-start': Exchange<OfConversation, { expiresAt: string }>;
  'typing-stop': Exchange<OfConversation, Record<string, never>>;
  'get-typing-users': Exchange<OfConversation, { conversationId: string; userIds: string[] }>;
  'refresh-token': Exchange<{ token: string }, { expiresAt: string }>;
}
