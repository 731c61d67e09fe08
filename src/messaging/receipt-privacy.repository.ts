import { Injectable } from '@nestjs/common';
import { Sql } from '../database/index.js';

/** What a user has decided about receipts. */
export interface ReceiptStance {
  /** `readReceipts: false`. */
  isHider: boolean;
  /** Whom the user blocks. */
  blockedIds: ReadonlySet<string>;
}

/** Reads who keeps receipts from whom. */
@Injectable()
export class ReceiptPrivacyRepository {
  constructor(private readonly sql: Sql) {}

  /**
   * By primary keys. Left out: users with the defaults who block nobody. Users who were never seen
   * have the defaults.
   */
  async stancesOf(userIds: string[]): Promise<Map<string, ReceiptStance>> {
    const rows = await this.sql.rows<{ id: string; is_hider: boolean; blocked_ids: string[] }>({
      name: 'receipt-privacy',
      text: `SELECT * FROM (
               SELECT t.id, coalesce(NOT u.read_receipts, false) AS is_hider,
                      ARRAY (SELECT b.blocked_id FROM blocks b WHERE b.user_id = t.id) AS blocked_ids
               FROM unnest($1::text[]) AS t (id) LEFT JOIN users u ON u.id = t.id
             ) s WHERE s.is_hider OR s.blocked_ids <> '{}'`,
      values: [userIds],
    });
    return new Map(rows.map((row) => [row.id, { isHider: row.is_hider, blockedIds: new Set(row.blocked_ids) }]));
  }
}
