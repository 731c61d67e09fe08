import { Injectable } from '@nestjs/common';
import { Sql } from '../database/index.js';

/** Removes the messages of deleted conversations. */
@Injectable()
export class DeletedConversationsRepository {
  constructor(private readonly sql: Sql) {}

  /**
   * Removes up to `limit` messages of the conversation that was deleted first, by ranges of primary
   * keys. A conversation without messages is noted as empty.
   *
   * @returns whether there may be more
   */
  async removeSome(limit: number): Promise<boolean> {
    return this.sql.transaction(async (tx) => {
      const [next] = await tx.rows<{ id: string }>(
        `SELECT id FROM conversations WHERE deleted_at IS NOT NULL AND emptied_at IS NULL
         ORDER BY deleted_at LIMIT 1 FOR UPDATE SKIP LOCKED`,
      );
      if (!next) return false;
      const gone = await tx.rows<{ id: string; seq: number }>(
        `DELETE FROM messages WHERE conversation_id = $1
           AND seq IN (SELECT seq FROM messages WHERE conversation_id = $1 ORDER BY seq LIMIT $2)
         RETURNING id, seq`,
        [next.id, limit],
      );
      const ids = gone.map(({ id }) => id);
      const seqs = gone.map(({ seq }) => seq);
      await tx.rows('DELETE FROM reactions WHERE message_id = ANY ($1::uuid[])', [ids]);
      await tx.rows('DELETE FROM message_revisions WHERE message_id = ANY ($1::uuid[])', [ids]);
      await tx.rows(
        `DELETE FROM hidden_messages h USING participants p
         WHERE p.conversation_id = $1 AND h.user_id = p.user_id AND h.conversation_id = $1 AND h.seq = ANY ($2::bigint[])`,
        [next.id, seqs],
      );
      if (gone.length < limit) {
        await tx.rows('UPDATE conversations SET emptied_at = clock_timestamp() WHERE id = $1', [next.id]);
      }
      return true;
    });
  }
}
