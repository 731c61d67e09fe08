import { Injectable } from '@nestjs/common';
import { ChatError, type Message } from '../common/index.js';
import { messageColumns, messageVisibleTo, toMessage, type MessageRow } from '../conversations/index.js';
import { Sql } from '../database/index.js';
import type { MessagePage } from './message-page.js';

/** Reads messages. */
@Injectable()
export class MessageRepository {
  constructor(private readonly sql: Sql) {}

  /**
   * One message, for a caller known to be allowed; by `messages_id`. One that has expired and is
   * not yet swept comes as the tombstone it is about to be.
   * @throws ChatError NOT_FOUND
   */
  async byId(messageId: string): Promise<Message> {
    const [row] = await this.sql.rows<MessageRow & { is_expired: boolean }>({
      name: 'message-by-id',
      text: `SELECT ${messageColumns('m')}, coalesce(m.expires_at <= now(), false) AS is_expired
             FROM messages m WHERE m.id = $1`,
      values: [messageId],
    });
    if (!row) throw new ChatError('NOT_FOUND');
    return toMessage(row.is_expired ? { ...row, deleted_at: row.deleted_at ?? row.expires_at } : row);
  }

  /** One message if the user can see it; by `messages_id`. */
  async visible(userId: string, messageId: string): Promise<Message | null> {
    const [row] = await this.sql.rows<MessageRow>({
      name: 'message-visible',
      text: `SELECT ${messageColumns('m')}
             FROM messages m JOIN participants p ON p.conversation_id = m.conversation_id
             WHERE m.id = $2 AND p.user_id = $1 AND p.left_at IS NULL AND ${messageVisibleTo('m', 'p')}`,
      values: [userId, messageId],
    });
    return row ? toMessage(row) : null;
  }

  /**
   * What a user may read of a conversation, newest first below `beforeSeq`, or oldest first above
   * `afterSeq`.
   *
   * One range scan of the primary key, as long as the page. Nothing for somebody who is not a
   * participant.
   */
  async page(
    userId: string,
    conversationId: string,
    from: { beforeSeq?: number; afterSeq?: number },
    limit: number,
  ): Promise<MessagePage> {
    const isForward = from.afterSeq !== undefined;
    const rows = await this.sql.rows<MessageRow>({
      name: isForward ? 'message-page-forward' : 'message-page-back',
      text: `SELECT ${messageColumns('m')}
             FROM participants p JOIN messages m ON m.conversation_id = p.conversation_id
             WHERE p.conversation_id = $1 AND p.user_id = $2 AND p.left_at IS NULL
               AND m.conversation_id = $1 AND m.seq ${isForward ? '>' : '<'} $3 AND ${messageVisibleTo('m', 'p')}
             ORDER BY m.seq ${isForward ? 'ASC' : 'DESC'} LIMIT $4`,
      values: [conversationId, userId, from.afterSeq ?? from.beforeSeq ?? Number.MAX_SAFE_INTEGER, limit + 1],
    });
    const shown = rows.slice(0, limit).map(toMessage);
    return { messages: isForward ? shown : shown.reverse(), hasMore: rows.length > limit };
  }
}
