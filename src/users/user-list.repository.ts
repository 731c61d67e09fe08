import { Sql, type SqlRunner } from '../database/index.js';
import { isoTime } from '../conversations/index.js';
import type { Addition, ListedUser } from './user-list.js';

export interface ListedUserRow {
  userId: string;
  createdAt: Date;
  [column: string]: unknown;
}

/** A table of pairs: whose list, and who is on it. */
interface ListTable {
  name: 'contacts' | 'blocks';
  /** The column of who is on the list. */
  column: 'contact_id' | 'blocked_id';
}

/** Users on a user's list, by the primary key of its table. */
export abstract class UserListRepository {
  protected constructor(
    protected readonly sql: Sql,
    private readonly table: ListTable,
  ) {}

  /**
   * @param limit how many the list may have; exact, since additions to one user's list wait for
   * each other
   */
  async add(tx: SqlRunner, userId: string, otherId: string, limit: number): Promise<Addition> {
    const { name, column } = this.table;
    await tx.rows('SELECT 1 FROM users WHERE id = $1 FOR NO KEY UPDATE', [userId]);
    const [found] = await tx.rows<{ count: number; present: boolean }>(
      `SELECT count(*)::integer AS count, coalesce(bool_or(${column} = $2), false) AS present
       FROM ${name} WHERE user_id = $1`,
      [userId, otherId],
    );
    if (found!.present) return 'present';
    if (found!.count >= limit) return 'full';
    await tx.rows(`INSERT INTO ${name} (user_id, ${column}) VALUES ($1, $2) ON CONFLICT DO NOTHING`, [userId, otherId]);
    return 'added';
  }

  /** @returns whether he was on the list */
  async remove(tx: SqlRunner, userId: string, otherId: string): Promise<boolean> {
    const { name, column } = this.table;
    const rows = await tx.rows(`DELETE FROM ${name} WHERE user_id = $1 AND ${column} = $2 RETURNING 1`, [
      userId,
      otherId,
    ]);
    return rows.length > 0;
  }

  /** In order of user id. @param after an id, or '' for the beginning */
  abstract page(userId: string, after: string, limit: number): Promise<ListedUser[]>;
}

export function toListedUser({ userId, createdAt }: ListedUserRow): ListedUser {
  return { userId, createdAt: isoTime(createdAt) };
}
