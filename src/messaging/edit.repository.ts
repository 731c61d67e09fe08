import { Injectable } from '@nestjs/common';
import type { Message } from '../common/index.js';
import { messageColumns, toMessage, type MessageRow } from '../conversations/index.js';
import type { SqlRunner } from '../database/index.js';
import { revisedColumns } from './message-change-writer.repository.js';

/** Writes edits, always in a transaction that holds the conversation's lock. */
@Injectable()
export class EditRepository {
  /** Replaces a content and keeps the one before as a revision; by `messages_id`. */
  async edit(tx: SqlRunner, messageId: string, rev: number, contentJson: string): Promise<Message> {
    const [row] = await tx.rows<MessageRow>({
      name: 'message-edit',
      text: `WITH kept AS (
               INSERT INTO message_revisions (message_id, rev, content, created_at)
               SELECT id, rev, content, coalesce(edited_at, created_at) FROM messages WHERE id = $1)
             UPDATE messages m
             SET content = $3::json, edited_at = date_trunc('milliseconds', clock_timestamp()), edited_rev = $2,
                 ${revisedColumns('$2')}
             WHERE m.id = $1 RETURNING ${messageColumns('m')}`,
      values: [messageId, rev, contentJson],
    });
    return toMessage(row!);
  }
}
