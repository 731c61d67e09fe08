import { Injectable } from '@nestjs/common';
import type { SqlRunner } from '../database/index.js';
import type { BuriedMessage } from './deletion.event.js';
import { revisedColumns, type ChangePlace } from './message-change-writer.repository.js';

/** A message one user hid, or had hidden before. */
export interface HiddenMessage {
  id: string;
  conversationId: string;
  seq: number;
  rev: number;
  /** Null: it was hidden before. */
  hiddenAt: Date | null;
  [column: string]: unknown;
}

/** Deletes messages, for everyone or for one user. */
@Injectable()
export class DeletionRepository {
  /**
   * Makes tombstones of messages, in order of seq, with contiguous revs from their place's
   * `nextRev` on. Content, mentions, reactions, revisions and fingerprint are gone from every
   * table. Left out: what was deleted before, or is elsewhere.
   *
   * In a transaction that holds the conversations' locks; by `messages_id` and primary keys.
   * @param deletedBy null: the server
   * @returns in order of rev
   */
  async bury(
    tx: SqlRunner,
    places: readonly ChangePlace[],
    messageIds: readonly string[],
    deletedBy: string | null,
  ): Promise<(BuriedMessage & { conversationId: string })[]> {
    const rows = await tx.rows<BuriedMessage & { conversationId: string; [column: string]: unknown }>({
      name: 'message-bury',
      text: `WITH doomed AS (
               SELECT m.id, p.next_rev + row_number() OVER (PARTITION BY m.conversation_id ORDER BY m.seq) - 1 AS rev
               FROM messages m JOIN unnest($1::uuid[], $2::bigint[]) AS p (id, next_rev) ON p.id = m.conversation_id
               WHERE m.id = ANY ($3::uuid[]) AND m.deleted_at IS NULL
             ), revisions_gone AS (
               DELETE FROM message_revisions v USING doomed d WHERE v.message_id = d.id
             ), reactions_gone AS (
               DELETE FROM reactions r USING doomed d WHERE r.message_id = d.id
             )
             UPDATE messages m
             SET content = NULL, mentions = '{}', reactions = NULL, fingerprint = NULL, deleted_by = $4,
                 deleted_at = date_trunc('milliseconds', clock_timestamp()), ${revisedColumns('d.rev')}
             FROM doomed d WHERE m.id = d.id
             RETURNING m.conversation_id AS "conversationId", m.id, m.seq, m.rev, m.deleted_at AS "deletedAt"`,
      values: [
        places.map(({ conversationId }) => conversationId),
        places.map(({ nextRev }) => nextRev),
        messageIds,
        deletedBy,
      ],
    });
    return rows.sort((a, b) => a.rev - b.rev);
  }

  /**
   * Hides a message from one user who takes part; its tombstone, too. Null: none he may know of.
   *
   * Needs no lock: nothing but what this user sees depends on it.
   */
  async hide(tx: SqlRunner, messageId: string, userId: string): Promise<HiddenMessage | null> {
    const [row] = await tx.rows<HiddenMessage>({
      name: 'message-hide',
      text: `WITH target AS (
               SELECT m.id, m.conversation_id, m.seq, m.rev
               FROM messages m JOIN participants p
                 ON p.conversation_id = m.conversation_id AND p.user_id = $2 AND p.left_at IS NULL
               WHERE m.id = $1 AND m.seq > p.joined_seq
                 AND (m.expires_at IS NULL OR m.expires_at > clock_timestamp())
             ), hidden AS (
               INSERT INTO hidden_messages (user_id, conversation_id, seq, message_id, hidden_at)
               SELECT $2, conversation_id, seq, id, date_trunc('milliseconds', clock_timestamp()) FROM target
               ON CONFLICT DO NOTHING RETURNING hidden_at
             )
             SELECT id, conversation_id AS "conversationId", seq, rev, (SELECT hidden_at FROM hidden) AS "hiddenAt"
             FROM target`,
      values: [messageId, userId],
    });
    return row ?? null;
  }
}
