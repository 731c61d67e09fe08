import { Injectable } from '@nestjs/common';
import { Sql } from '../database/index.js';
import type { ListedUser } from './user-list.js';
import { toListedUser, UserListRepository, type ListedUserRow } from './user-list.repository.js';

/** Reads and writes contacts. */
@Injectable()
export class ContactRepository extends UserListRepository {
  constructor(sql: Sql) {
    super(sql, { name: 'contacts', column: 'contact_id' });
  }

  /**
   * Those added (by primary key) and the other sides of direct conversations (`participants_user`),
   * each once.
   */
  override async page(userId: string, after: string, limit: number): Promise<ListedUser[]> {
    const rows = await this.sql.rows<ListedUserRow>(
      `SELECT f.user_id AS "userId", min(f.created_at) AS "createdAt"
       FROM (
         (SELECT contact_id AS user_id, created_at FROM contacts
          WHERE user_id = $1 AND contact_id > $2 ORDER BY contact_id LIMIT $3)
         UNION ALL
         SELECT b.user_id, c.created_at
         FROM participants a
         JOIN conversations c ON c.id = a.conversation_id AND c.kind = 'direct'
         JOIN participants b ON b.conversation_id = a.conversation_id AND b.user_id <> a.user_id
         WHERE a.user_id = $1 AND a.left_at IS NULL AND b.user_id > $2
       ) f
       GROUP BY f.user_id ORDER BY f.user_id LIMIT $3`,
      [userId, after, limit],
    );
    return rows.map(toListedUser);
  }
}
