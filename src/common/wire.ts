/**
 * The objects of the wire contract (section 3), as clients get them. Times are ISO 8601 in UTC.
 */

export interface Reaction {
  count: number;
  /** The first 50. */
  userIds: string[];
}

export interface Message {
  /** UUIDv7. */
  id: string;
  conversationId: string;
  /** 1, 2, 3 … without gaps in its conversation, in commit order; never changes. */
  seq: number;
  /**
   * The conversation's change counter at this message's last change: send, edit, delete, reaction.
   */
  rev: number;
  senderId: string;
  clientMessageId: string | null;
  type: string;
  /** Per type; null once deleted. */
  content: Record<string, unknown> | null;
  /** Message id in the same conversation. */
  replyTo: string | null;
  mentions: string[];
  reactions: Record<string, Reaction>;
  createdAt: string;
  editedAt: string | null;
  deletedAt: string | null;
  expiresAt: string | null;
}

export type Role = 'owner' | 'admin' | 'member';
export type ConversationKind = 'direct' | 'group';

export interface Participant {
  userId: string;
  role: Role;
  joinedAt: string;
  deliveredSeq: number;
  readSeq: number;
}

/**
 * A conversation as one user sees it: `unreadCount`, `lastMessage` and cursors are that user's
 * view.
 */
export interface Conversation {
  id: string;
  kind: ConversationKind;
  title: string | null;
  lastSeq: number;
  lastRev: number;
  createdAt: string;
  updatedAt: string;
  unreadCount: number;
  lastMessage: Message | null;
  /** The viewer's own. */
  me: Participant | null;
  /** At most 50, by role and time of joining; the viewer is always among them. */
  participants: Participant[];
  participantCount: number;
}

/** A user as others see them. */
export interface User {
  id: string;
  kind: 'person' | 'bot';
  displayName: string | null;
  avatarUrl: string | null;
  /** The application's own JSON. */
  metadata: Record<string, unknown>;
}

/** `unknown`: Redis is away. */
export type PresenceStatus = 'online' | 'away' | 'offline' | 'unknown';

export interface Presence {
  userId: string;
  status: PresenceStatus;
  lastSeenAt: string | null;
}
