import { Injectable } from '@nestjs/common';
import { Sql, type SqlRunner } from '../database/index.js';
import type { ListedUser } from './user-list.js';
import { toListedUser, UserListRepository, type ListedUserRow } from './user-list.repository.js';

/** Reads and writes the table of blocks. */
@Injectable()
export class BlockRepository extends UserListRepository {
  constructor(sql: Sql) {
    super(sql, { name: 'blocks', column: 'blocked_id' });
  }

  /**
   * Locks the conversations that two users share until the transaction ends, in order of id: a send
   * that has begun is committed by then, one that begins later sees what this transaction did. By
   * `participants_user`.
   */
  async lockShared(tx: SqlRunner, userId: string, otherId: string): Promise<string[]> {
    const rows = await tx.rows<{ id: string }>(
      `SELECT c.id FROM conversations c
       WHERE c.id IN (
         SELECT a.conversation_id FROM participants a
         JOIN participants b ON b.conversation_id = a.conversation_id AND b.user_id = $2 AND b.left_at IS NULL
         WHERE a.user_id = $1 AND a.left_at IS NULL)
       ORDER BY c.id FOR NO KEY UPDATE`,
      [userId, otherId],
    );
    return rows.map(({ id }) => id);
  }

  /**
   * Notes that two users see other receipts of each other from now on, so that their next `sync`
   * shows them.
   *
   * @param conversationIds locked by {@link lockShared}
   */
  async noteSight(tx: SqlRunner, conversationIds: string[], userId: string, otherId: string): Promise<void> {
    if (conversationIds.length === 0) return;
    // Marks come before the locks of participants (ADR-0006).
    await tx.rows('SELECT mark_activity($1::uuid[])', [conversationIds]);
    await tx.rows(
      `WITH held AS MATERIALIZED (
         SELECT conversation_id, user_id FROM participants
         WHERE conversation_id = ANY ($1::uuid[]) AND user_id IN ($2, $3)
         ORDER BY conversation_id, user_id FOR NO KEY UPDATE
       )
       UPDATE participants p SET sight_xid = current_xid()
       FROM held h WHERE p.conversation_id = h.conversation_id AND p.user_id = h.user_id`,
      [conversationIds, userId, otherId],
    );
  }

  override async page(userId: string, after: string, limit: number): Promise<ListedUser[]> {
    const rows = await this.sql.rows<ListedUserRow>(
      `SELECT blocked_id AS "userId", created_at AS "createdAt" FROM blocks
       WHERE user_id = $1 AND blocked_id > $2 ORDER BY blocked_id LIMIT $3`,
      [userId, after, limit],
    );
    return rows.map(toListedUser);
  }
}
