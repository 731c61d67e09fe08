import { messageVisibleTo } from './message-view.js';

/** What a user has not read, over all conversations. */
export interface UnreadTotals {
  total: number;
  conversations: number;
}

/**
 * SQL: the messages that a participant has not read: others' messages above the read cursor that
 * the participant can see and that are not deleted. A range of the primary key.
 *
 * @param participant alias of something with `user_id`, `read_seq`, `joined_seq`
 * @param conversationId a column
 */
export function unreadMessages(participant: string, conversationId: string): string {
  return `messages m
    WHERE m.conversation_id = ${conversationId} AND m.seq > ${participant}.read_seq
      AND m.sender_id <> ${participant}.user_id AND m.deleted_at IS NULL AND ${messageVisibleTo('m', participant)}`;
}
