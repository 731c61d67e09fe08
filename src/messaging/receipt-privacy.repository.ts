import { Injectable } from '@nestjs/common';
import { Sql } from '../database/index.js';

/** Reads who keeps his read cursor to himself. */
@Injectable()
export class ReceiptPrivacyRepository {
  constructor(private readonly sql: Sql) {}

  /**
   * Those of the users with `readReceipts: false`, by primary key; who was never seen has the
   * default, true.
   */
  async hidersAmong(userIds: string[]): Promise<Set<string>> {
    const rows = await this.sql.rows<{ id: string }>({
      name: 'receipt-privacy',
      text: 'SELECT id FROM users WHERE id = ANY ($1::text[]) AND NOT read_receipts',
      values: [userIds],
    });
    return new Set(rows.map(({ id }) => id));
  }
}
