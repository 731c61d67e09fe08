import { Injectable } from '@nestjs/common';
import { Sql, type SqlRunner } from '../database/index.js';
import type { Notice } from './outbox.repository.js';

const keptSeconds = 3_600;

/** The table of what was announced within the last hour, for nodes that were cut off meanwhile. */
@Injectable()
export class NoticeLogRepository {
  constructor(private readonly sql: Sql) {}

  /** Writes notices into the caller's transaction. */
  async insert(tx: SqlRunner, notices: Notice[]): Promise<void> {
    await tx.rows({
      name: 'notice-log-insert',
      text: 'INSERT INTO notice_log (notices) VALUES ($1)',
      values: [JSON.stringify(notices)],
    });
  }

  /** What was written in the last `ms`, oldest first; by `notice_log_created_at`. */
  async ofLast(ms: number): Promise<Notice[]> {
    const rows = await this.sql.rows<{ notices: Notice[] }>(
      `SELECT notices FROM notice_log
       WHERE created_at > clock_timestamp() - make_interval(secs => $1) ORDER BY id`,
      [ms / 1_000],
    );
    return rows.flatMap(({ notices }) => notices);
  }

  async forgetOld(): Promise<void> {
    await this.sql.rows('DELETE FROM notice_log WHERE created_at < clock_timestamp() - make_interval(secs => $1)', [
      keptSeconds,
    ]);
  }
}
