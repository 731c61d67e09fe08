import { Injectable } from '@nestjs/common';
import { Sql } from '../database/index.js';

export interface ExpiredMessages {
  conversationId: string;
  messageIds: string[];
  [column: string]: unknown;
}

/** Finds messages whose time has come. */
@Injectable()
export class ExpiryRepository {
  constructor(private readonly sql: Sql) {}

  /**
   * The longest expired, at most `limit`, by conversation; a range of `messages_expires_at`, which
   * holds no others.
   */
  due(limit: number): Promise<ExpiredMessages[]> {
    return this.sql.rows<ExpiredMessages>({
      name: 'messages-due',
      text: `SELECT due.conversation_id AS "conversationId", array_agg(due.id) AS "messageIds"
             FROM (SELECT conversation_id, id FROM messages
                   WHERE expires_at <= now() AND expires_at IS NOT NULL AND deleted_at IS NULL
                   ORDER BY expires_at LIMIT $1) due
             GROUP BY due.conversation_id`,
      values: [limit],
    });
  }
}
