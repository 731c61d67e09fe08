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
   * Locks the direct conversation of two users, if there is one, until the transaction ends: a send
   * that has begun is committed by then, one that begins later sees what this transaction did. By
   * `participants_user`.
   */
  async lockDirect(tx: SqlRunner, userId: string, otherId: string): Promise<void> {
    await tx.rows(
      `SELECT 1 FROM conversations c
       WHERE c.kind = 'direct' AND c.id IN (
         SELECT a.conversation_id FROM participants a
         JOIN participants b ON b.conversation_id = a.conversation_id AND b.user_id = $2
         WHERE a.user_id = $1)
       FOR NO KEY UPDATE`,
      [userId, otherId],
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
