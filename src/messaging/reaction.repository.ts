import { Injectable } from '@nestjs/common';
import type { Message, Reaction } from '../common/index.js';
import { messageColumns, toMessage, type MessageRow } from '../conversations/index.js';
import type { SqlRunner } from '../database/index.js';
import { revisedColumns, type MessageTarget } from './message-change-writer.repository.js';

/** Of how many users a message shows the ids, per emoji (contract, section 3). */
const maxShownUsers = 50;

/** Writes reactions, always in a transaction that holds the conversation's lock. */
@Injectable()
export class ReactionRepository {
  /** @returns whether it was not there before */
  async add(tx: SqlRunner, target: MessageTarget, emoji: string, userId: string): Promise<boolean> {
    const { message, conversationId, nextRev } = target;
    const rows = await tx.rows({
      name: 'reaction-add',
      text: `INSERT INTO reactions AS r (message_id, emoji, user_id, conversation_id, rev) VALUES ($1, $2, $3, $4, $5)
             ON CONFLICT (message_id, emoji, user_id) DO UPDATE
             SET rev = excluded.rev, removed = false, changed_at = excluded.changed_at WHERE r.removed
             RETURNING 1`,
      values: [message.id, emoji, userId, conversationId, nextRev],
    });
    return rows.length > 0;
  }

  /** @returns whether it was there */
  async remove(tx: SqlRunner, { message, nextRev }: MessageTarget, emoji: string, userId: string): Promise<boolean> {
    const rows = await tx.rows({
      name: 'reaction-remove',
      text: `UPDATE reactions SET removed = true, rev = $4, changed_at = clock_timestamp()
             WHERE message_id = $1 AND emoji = $2 AND user_id = $3 AND NOT removed RETURNING 1`,
      values: [message.id, emoji, userId, nextRev],
    });
    return rows.length > 0;
  }

  /** How many reacted with this emoji, and the first of them; a range of the primary key. */
  async tally(tx: SqlRunner, messageId: string, emoji: string): Promise<Reaction> {
    const [row] = await tx.rows<{ count: number; userIds: string[] | null }>({
      name: 'reaction-tally',
      text: `SELECT count(*) AS count, (array_agg(user_id ORDER BY rev))[1:${maxShownUsers}] AS "userIds"
             FROM reactions WHERE message_id = $1 AND emoji = $2 AND NOT removed`,
      values: [messageId, emoji],
    });
    return { count: row!.count, userIds: row!.userIds ?? [] };
  }

  /** Repeats on the message what the table of reactions says. */
  async show(tx: SqlRunner, { message, nextRev }: MessageTarget, reactions: Message['reactions']): Promise<Message> {
    const [row] = await tx.rows<MessageRow>({
      name: 'reaction-show',
      text: `UPDATE messages m SET reactions = $3::json, ${revisedColumns('$2')}
             WHERE m.id = $1 RETURNING ${messageColumns('m')}`,
      values: [message.id, nextRev, JSON.stringify(reactions)],
    });
    return toMessage(row!);
  }
}
