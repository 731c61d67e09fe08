import { Injectable } from '@nestjs/common';
import { messageColumns, toMessage, type MessageRow } from '../conversations/index.js';
import { Sql } from '../database/index.js';
import type { MessageChange } from './message-change.js';

/** How far a conversation has come while this node was not listening. */
export interface ConversationProgress {
  conversationId: string;
  version: number;
  lastRev: number;
  /** The rev before the first change of the time in question. */
  revBefore: number;
  [column: string]: unknown;
}

/** Reads committed changes back, for nodes that were not told. */
@Injectable()
export class MessageChangeRepository {
  constructor(private readonly sql: Sql) {}

  /**
   * The messages whose last change lies in (above, upTo], in order of rev; carried by `messages_rev`.
   *
   * A message changed twice comes once, in its present state, with its later rev.
   */
  async between(conversationId: string, above: number, upTo: number): Promise<MessageChange[]> {
    const rows = await this.sql.rows<MessageRow & { deletedBy: string | null }>(
      `SELECT ${messageColumns('m')}, m.deleted_by AS "deletedBy" FROM messages m
       WHERE m.conversation_id = $1 AND m.rev > $2 AND m.rev <= $3 ORDER BY m.rev`,
      [conversationId, above, upTo],
    );
    return rows.map(asChange);
  }

  /** Conversations of these users that changed within the last `awayMs` (and a margin); by `participants_user`. */
  conversationsChanged(userIds: string[], awayMs: number): Promise<ConversationProgress[]> {
    return this.sql.rows<ConversationProgress>(
      `WITH changed AS (
         SELECT DISTINCT c.id, c.participants_version, c.last_rev
         FROM participants p JOIN conversations c ON c.id = p.conversation_id
         WHERE p.user_id = ANY ($1) AND p.left_at IS NULL
           AND c.updated_at > clock_timestamp() - make_interval(secs => $2))
       SELECT c.id AS "conversationId", c.participants_version AS version, c.last_rev AS "lastRev",
              coalesce((SELECT min(m.rev) - 1 FROM messages m WHERE m.conversation_id = c.id
                        AND greatest(m.created_at, m.edited_at, m.deleted_at) > clock_timestamp() - make_interval(secs => $2)
                        AND m.rev > c.last_rev - 1000), c.last_rev) AS "revBefore"
       FROM changed c`,
      [userIds, awayMs / 1_000 + 5],
    );
  }
}

function asChange(row: MessageRow & { deletedBy: string | null }): MessageChange {
  const message = toMessage(row);
  const place = { rev: message.rev, seq: message.seq, exceptConnectionId: null };
  if (message.deletedAt !== null) {
    const { conversationId, seq, rev, deletedAt } = message;
    const payload = {
      conversationId,
      messageId: message.id,
      seq,
      rev,
      deletedBy: row.deletedBy,
      deletedAt,
      scope: 'everyone',
    };
    return { ...place, event: 'message-deleted', payload };
  }
  if (message.editedAt !== null) return { ...place, event: 'message-edited', payload: message };
  return { ...place, event: 'new-message', payload: message };
}
