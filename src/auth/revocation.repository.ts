import { Injectable } from '@nestjs/common';
import { positionColumns, Sql, type Position } from '../database/index.js';

/** Tokens of one user issued up to `beforeMs` (unix ms, inclusive) are revoked. */
export interface Revocation {
  userId: string;
  beforeMs: number;
}

/** The longest time that a mark may lie ahead of the database's clock. */
const maxAhead = '1 hour';

/** Where a page begins: at this transaction, after this user. */
export interface RevocationCursor {
  xid: number;
  userId: string;
}

export interface RevocationPage {
  /** Of this page's snapshot: what commits later has a transaction id at or above its `xmin`. */
  position: Position;
  revocations: Revocation[];
  /** Null when this was the last page. */
  next: RevocationCursor | null;
}

type Row = { epoch: string; xmin: number; id: string | null; revoked_before: Date | null; revoked_xid: number | null };

export const revocationsPerPage = 5_000;

/** The revocations of all users, in Postgres: `users.revoked_before`. */
@Injectable()
export class RevocationRepository {
  constructor(private readonly sql: Sql) {}

  /**
   * Raises a user's mark, never lowers it; creates the user when they are first seen. The clock of
   * the database decides, because the clocks of nodes differ.
   *
   * @param beforeMs unix ms; null: now
   * @returns the mark that holds now, unix ms; null: `beforeMs` lies more than an hour ahead, and
   *   nothing was changed
   */
  async raise(userId: string, beforeMs: number | null): Promise<number | null> {
    const [row] = await this.sql.rows<{ revoked_before: Date }>({
      name: 'revocation-raise',
      text: `
        INSERT INTO users AS u (id, revoked_before, revoked_xid)
        SELECT $1::text, coalesce($2::timestamptz, clock_timestamp()), current_xid()
        WHERE $2::timestamptz IS NULL OR $2::timestamptz <= clock_timestamp() + interval '${maxAhead}'
        ON CONFLICT (id) DO UPDATE
          SET revoked_before = greatest(u.revoked_before, excluded.revoked_before), revoked_xid = excluded.revoked_xid
        RETURNING revoked_before`,
      values: [userId, beforeMs === null ? null : new Date(beforeMs)],
    });
    return row ? row.revoked_before.getTime() : null;
  }

  /**
   * Reads what was committed since a position, oldest transaction first. Index `users_revoked`; a
   * poll that finds nothing reads one index page. Always answers a row, for the position.
   */
  async page(after: RevocationCursor): Promise<RevocationPage> {
    const rows = await this.sql.rows<Row>({
      name: 'revocation-page',
      text: `
        SELECT p.xmin, p.epoch, r.id, r.revoked_before, r.revoked_xid
        FROM (SELECT ${positionColumns}) p
        LEFT JOIN LATERAL (
          SELECT id, revoked_before, revoked_xid FROM users
          WHERE revoked_before IS NOT NULL AND (revoked_xid, id) > ($1::bigint, $2::text)
          ORDER BY revoked_xid, id LIMIT ${revocationsPerPage}
        ) r ON true`,
      values: [after.xid, after.userId],
    });
    return pageOf(rows);
  }
}

function pageOf(rows: Row[]): RevocationPage {
  const { xmin, epoch } = rows[0]!;
  const found = rows.filter((row) => row.id !== null);
  const last = found.at(-1);
  const next = found.length < revocationsPerPage ? null : { xid: last!.revoked_xid!, userId: last!.id! };
  const revocations = found.map((row) => ({ userId: row.id!, beforeMs: row.revoked_before!.getTime() }));
  return { position: { xmin, epoch }, revocations, next };
}
