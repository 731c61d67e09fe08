import { Injectable } from '@nestjs/common';
import { isoTime } from '../conversations/index.js';
import { Sql } from '../database/index.js';
import type { Revision } from './revision.js';

/** Reads the revisions of messages. */
@Injectable()
export class RevisionRepository {
  constructor(private readonly sql: Sql) {}

  /** Newest first, below a rev; a range of the primary key. */
  async page(messageId: string, belowRev: number, limit: number): Promise<Revision[]> {
    const rows = await this.sql.rows<{ rev: number; content: Record<string, unknown>; created_at: Date }>(
      `SELECT rev, content, created_at FROM message_revisions
       WHERE message_id = $1 AND rev < $2 ORDER BY rev DESC LIMIT $3`,
      [messageId, belowRev, limit],
    );
    return rows.map(({ rev, content, created_at }) => ({ rev, content, createdAt: isoTime(created_at) }));
  }
}
