import { Injectable } from '@nestjs/common';
import { messageVisibleTo } from '../conversations/index.js';
import { Sql } from '../database/index.js';

/** One of those a message is for; the sender is none of them. */
export interface MessageRecipient {
  userId: string;
  /** Null: it has not reached him. */
  deliveredAt: Date | null;
  readAt: Date | null;
}

/** A message's receipts as they are stored. */
export interface MessageReceipts {
  conversationId: string;
  participantCount: number;
  recipients: MessageRecipient[];
}

interface Row {
  conversation_id: string;
  participant_count: number;
  user_id: string | null;
  delivered_at: Date | null;
  read_at: Date | null;
  [column: string]: unknown;
}

// The log holds advances in order of seq: the first at or beyond a message is when it was reached.
const firstAdvance = (kind: 'delivered' | 'read') => `
  SELECT l.at FROM receipt_log l
  WHERE l.conversation_id = t.conversation_id AND l.user_id = o.user_id AND l.kind = '${kind}' AND l.seq >= t.seq
  ORDER BY l.seq LIMIT 1`;

/** Reads how far messages have come. */
@Injectable()
export class MessageStatusRepository {
  constructor(private readonly sql: Sql) {}

  /**
   * The receipts of one message, at two index probes of the log a recipient, however long the
   * history.
   *
   * By `messages_id` and the primary keys of participants and the log.
   *
   * @returns null when there is no such message, or the user may not see it
   */
  async read(userId: string, messageId: string): Promise<MessageReceipts | null> {
    const rows = await this.sql.rows<Row>({
      name: 'message-status',
      text: `
        WITH target AS MATERIALIZED (
          SELECT m.conversation_id, m.seq, m.sender_id, c.participant_count
          FROM messages m
          JOIN participants p ON p.conversation_id = m.conversation_id AND p.user_id = $1 AND p.left_at IS NULL
          JOIN conversations c ON c.id = m.conversation_id
          WHERE m.id = $2 AND ${messageVisibleTo('m', 'p')}
        )
        SELECT t.conversation_id, t.participant_count, o.user_id, d.at AS delivered_at, r.at AS read_at
        FROM target t
        LEFT JOIN participants o ON o.conversation_id = t.conversation_id AND o.user_id <> t.sender_id
                                 AND o.left_at IS NULL AND o.joined_seq < t.seq
        LEFT JOIN LATERAL (${firstAdvance('delivered')}) d ON true
        LEFT JOIN LATERAL (${firstAdvance('read')}) r ON true`,
      values: [userId, messageId],
    });
    const [first] = rows;
    if (!first) return null;
    const recipients = rows.flatMap((row) =>
      row.user_id === null ? [] : [{ userId: row.user_id, deliveredAt: row.delivered_at, readAt: row.read_at }],
    );
    return { conversationId: first.conversation_id, participantCount: first.participant_count, recipients };
  }
}
