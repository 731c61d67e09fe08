import type { Role } from '../common/index.js';

export const conversationNoticeKind = 'conversation';

/** What happened to a conversation. Ids only: each node renders what its own sockets may see. */
export type ConversationChange =
  | { type: 'created' }
  | { type: 'updated' }
  | { type: 'added'; userIds: string[]; role: Role; by: string }
  | { type: 'removed'; userId: string; by: string }
  | { type: 'deleted'; userIds: string[]; by: string };

/** Told to every node, at least once, through the outbox. */
export interface ConversationNotice {
  /** Random: a node that has seen it drops it. */
  id: string;
  conversationId: string;
  /** Of the participants, after the change. */
  version: number;
  change: ConversationChange;
}
