import { Injectable } from '@nestjs/common';
import { positionColumns, Sql, WatchSql, type Position, type SqlRunner } from '../database/index.js';
import type { Principal } from './principal.js';

/**
 * One mark, up to `beforeMs` (unix ms):
 *
 * - `tokens`: all tokens of a user, by an admin;
 * - `sessions`: all tokens of a user but the one whose hash is `keptToken`, by the user;
 * - `device`: the tokens of a user, on one removed device.
 */
export type Revocation = { userId: string; beforeMs: number } & (
  { kind: 'tokens' } | { kind: 'sessions'; keptToken: string | null } | { kind: 'device'; deviceId: string }
);

/** The longest time that a mark may lie ahead of the database's clock. */
const maxAhead = '1 hour';

/** Where a page begins: after this transaction, user and device. */
export interface RevocationCursor {
  xid: number;
  userId: string;
  deviceId: string;
}

export interface RevocationPage {
  /** Of this page's snapshot: what commits later has a transaction id at or above its `xmin`. */
  position: Position;
  revocations: Revocation[];
  /** Null when this was the last page. */
  next: RevocationCursor | null;
}

interface Row {
  epoch: string;
  xmin: number;
  /** Null: there was nothing. */
  user_id: string | null;
  device_id: string;
  is_by_admin: boolean;
  before: Date;
  kept_token: string | null;
  xid: number;
  [column: string]: unknown;
}

export const revocationsPerPage = 5_000;

/**
 * Revocations in Postgres: `users.revoked_before` by admins, `revocations` by the users themselves.
 * The clock of the database decides, because the clocks of nodes differ.
 */
@Injectable()
export class RevocationRepository {
  constructor(
    private readonly sql: Sql,
    private readonly watchSql: WatchSql,
  ) {}

  /**
   * Raises a user's mark, never lowers it; creates the user when they are first seen.
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
   * Takes back all sessions of a user until now, but that of the token in use. Each mark is later
   * than the one before, so nodes agree on which one came last.
   *
   * @returns the mark, unix ms; null: an earlier call has revoked this very token, which must not
   *   become good again as the exception of this call
   */
  async endSessions({ userId, issuedAtMs, tokenHash }: Principal): Promise<number | null> {
    const [row] = await this.sql.rows<{ before: Date }>({
      name: 'revocation-sessions',
      text: `
        INSERT INTO revocations AS r (user_id, device_id, before, kept_token, xid)
        VALUES ($1::text, '', date_trunc('milliseconds', clock_timestamp()), $2::text, current_xid())
        ON CONFLICT (user_id, device_id) DO UPDATE
          SET before = greatest(date_trunc('milliseconds', clock_timestamp()), r.before + interval '1 millisecond'),
              kept_token = excluded.kept_token, xid = excluded.xid
          WHERE r.kept_token = excluded.kept_token OR floor($3::float8 / 1000) > floor(extract(epoch FROM r.before))
        RETURNING before`,
      values: [userId, tokenHash ?? null, issuedAtMs],
    });
    return row ? row.before.getTime() : null;
  }

  /**
   * Takes back a user's tokens on one device, in the caller's transaction.
   * @returns the mark, unix ms
   */
  async removeDevice(tx: SqlRunner, userId: string, deviceId: string): Promise<number> {
    const [row] = await tx.rows<{ before: Date }>({
      name: 'revocation-device',
      text: `
        INSERT INTO revocations AS r (user_id, device_id, before, xid)
        VALUES ($1::text, $2::text, date_trunc('milliseconds', clock_timestamp()), current_xid())
        ON CONFLICT (user_id, device_id) DO UPDATE
          SET before = greatest(r.before, excluded.before), xid = excluded.xid
        RETURNING before`,
      values: [userId, deviceId],
    });
    return row!.before.getTime();
  }

  /**
   * Reads what was committed since a position, oldest transaction first. Indexes `users_revoked`
   * and `revocations_xid`; a reading that finds nothing reads one page of each. Always answers a
   * row, for the position.
   */
  async page(after: RevocationCursor): Promise<RevocationPage> {
    const rows = await this.watchSql.rows<Row>({
      name: 'revocation-page',
      text: `
        SELECT p.xmin, p.epoch, r.user_id, r.device_id, r.is_by_admin, r.before, r.kept_token, r.xid
        FROM (SELECT ${positionColumns}) p
        LEFT JOIN LATERAL (
          SELECT * FROM (
            (SELECT id AS user_id, '' AS device_id, true AS is_by_admin, revoked_before AS before, NULL AS kept_token,
                    revoked_xid AS xid
             FROM users WHERE revoked_before IS NOT NULL AND (revoked_xid, id) > ($1::bigint, $2::text)
             ORDER BY revoked_xid, id LIMIT ${revocationsPerPage})
            UNION ALL
            (SELECT user_id, device_id, false, before, kept_token, xid
             FROM revocations WHERE (xid, user_id, device_id) > ($1::bigint, $2::text, $3::text)
             ORDER BY xid, user_id, device_id LIMIT ${revocationsPerPage})
          ) both_lists ORDER BY xid, user_id, device_id LIMIT ${revocationsPerPage}
        ) r ON true`,
      values: [after.xid, after.userId, after.deviceId],
    });
    return pageOf(rows);
  }
}

function pageOf(rows: Row[]): RevocationPage {
  const { xmin, epoch } = rows[0]!;
  const found = rows.filter((row) => row.user_id !== null);
  const last = found.at(-1);
  const isLast = last === undefined || found.length < revocationsPerPage;
  const next = isLast ? null : { xid: last.xid, userId: last.user_id!, deviceId: last.device_id };
  return { position: { xmin, epoch }, revocations: found.map(revocationOf), next };
}

function revocationOf(row: Row): Revocation {
  const common = { userId: row.user_id!, beforeMs: row.before.getTime() };
  if (row.is_by_admin) return { ...common, kind: 'tokens' };
  if (row.device_id === '') return { ...common, kind: 'sessions', keptToken: row.kept_token };
  return { ...common, kind: 'device', deviceId: row.device_id };
}
