import { Injectable } from '@nestjs/common';
import { messageVisibleTo } from '../conversations/index.js';
import { Sql } from '../database/index.js';
import type { ReceiptMark, ReceiptRow } from './receipt.js';

const advanceStatement = `
  SELECT outcome, delivered_seq AS "deliveredSeq", read_seq AS "readSeq", delivered_at AS "deliveredAt",
         read_at AS "readAt", has_delivered AS "hasDelivered", has_read AS "hasRead"
  FROM advance_receipts($1, $2, $3, $4, $5) ORDER BY ordinal`;

/** Advances cursors, and finds the places of messages. */
@Injectable()
export class ReceiptRepository {
  constructor(private readonly sql: Sql) {}

  /**
   * Advances a batch of cursors, all or nothing, with a log row per advance; each mark gets its own
   * verdict.
   *
   * Carried by the primary keys of participants and conversations. Does not wait for sends.
   *
   * @returns one row per mark, in order
   */
  advance(marks: readonly ReceiptMark[]): Promise<ReceiptRow[]> {
    return this.sql.rows<ReceiptRow & { [column: string]: unknown }>({
      name: 'advance-receipts',
      text: advanceStatement,
      values: [
        marks.map((mark) => mark.conversationId),
        marks.map((mark) => mark.userId),
        marks.map((mark) => mark.deliveredSeq ?? null),
        marks.map((mark) => mark.deliveredRev ?? null),
        marks.map((mark) => mark.readSeq ?? null),
      ],
    });
  }

  /**
   * The highest seq of these messages; by `messages_id`.
   *
   * @param messageIds without repeats
   * @returns null when one of them is not of this conversation, or the user may not see it
   */
  async highestSeq(userId: string, conversationId: string, messageIds: string[]): Promise<number | null> {
    const [row] = await this.sql.rows<{ found: number; seq: number }>({
      name: 'receipt-highest-seq',
      text: `SELECT count(*) AS found, max(m.seq) AS seq
             FROM messages m JOIN participants p ON p.conversation_id = m.conversation_id
             WHERE m.id = ANY ($3::uuid[]) AND m.conversation_id = $2 AND p.user_id = $1 AND p.left_at IS NULL
               AND ${messageVisibleTo('m', 'p')}`,
      values: [userId, conversationId, messageIds],
    });
    return row!.found === messageIds.length ? row!.seq : null;
  }
}
