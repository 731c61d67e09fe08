import { Injectable } from '@nestjs/common';
import { positionColumns, Sql, WatchSql, type Position, type SqlRunner } from '../database/index.js';
import type { Notice } from './outbox.repository.js';

const keptSeconds = 3_600;

export const noticeRowsPerPage = 500;

/** Up to where the log has been read. */
export interface NoticeLogCursor {
  xid: number;
  id: number;
}

/** A row of the log: what one transaction announced. */
export interface LoggedNotices extends NoticeLogCursor {
  notices: Notice[];
}

export interface NoticeLogPage {
  /** Of this page's snapshot: what commits later has a transaction id at or above its `xmin`. */
  position: Position;
  rows: LoggedNotices[];
}

interface Row extends Position {
  id: number | null;
  xid: number;
  notices: Notice[];
  [column: string]: unknown;
}

/**
 * The table of what was announced within the last hour, besides messages. Every node reads it, so
 * that a change of members, blocks and the like counts on each within the revocation bound
 * (ADR-0028).
 */
@Injectable()
export class NoticeLogRepository {
  constructor(
    private readonly sql: Sql,
    private readonly watchSql: WatchSql,
  ) {}

  /** Writes notices into the caller's transaction. */
  async insert(tx: SqlRunner, notices: Notice[]): Promise<void> {
    await tx.rows({
      name: 'notice-log-insert',
      text: 'INSERT INTO notice_log (notices) VALUES ($1)',
      values: [JSON.stringify(notices)],
    });
  }

  /**
   * Reads what was committed since a position, oldest transaction first; by `notice_log_xid`.
   * Always answers the position.
   *
   * @param knownIds rows at or above the position that were read before
   */
  async page({ xid, id }: NoticeLogCursor, knownIds: readonly number[]): Promise<NoticeLogPage> {
    const rows = await this.watchSql.rows<Row>({
      name: 'notice-log-page',
      text: `SELECT p.xmin, p.epoch, l.id, l.xid, l.notices
             FROM (SELECT ${positionColumns}) p
             LEFT JOIN LATERAL (
               SELECT id, xid, notices FROM notice_log
               WHERE (xid, id) > ($1::bigint, $2::bigint) AND id <> ALL ($3::bigint[])
               ORDER BY xid, id LIMIT ${noticeRowsPerPage}
             ) l ON true`,
      values: [xid, id, knownIds],
    });
    const { xmin, epoch } = rows[0]!;
    const found = rows.flatMap(({ id: rowId, xid: rowXid, notices }) =>
      rowId === null ? [] : [{ id: rowId, xid: rowXid, notices }],
    );
    return { position: { xmin, epoch }, rows: found };
  }

  async forgetOld(): Promise<void> {
    await this.sql.rows('DELETE FROM notice_log WHERE created_at < clock_timestamp() - make_interval(secs => $1)', [
      keptSeconds,
    ]);
  }
}
