import { Injectable } from '@nestjs/common';
import { Sql, type SqlRunner } from './sql.js';

/**
 * A point in the order of commits: everything by transactions below `xmin` was visible, anything
 * else may be new.
 *
 * Transaction ids, not times: a slow transaction that commits later has an id at or above `xmin`,
 * so nothing is skipped.
 */
export interface Position {
  /**
   * Names this database since its last restore, and which start of Postgres it was taken after: 16
   * hexadecimal digits, then more. See {@link isOfPresent} for what a position of another epoch
   * means.
   */
  epoch: string;
  xmin: number;
}

/** SQL for the position of the statement's own snapshot, to be selected along with other things. */
export const positionColumns = `pg_snapshot_xmin(pg_current_snapshot())::text::bigint AS xmin, database_epoch() AS epoch`;

const nameLength = 16;

/** What tells whether a position belongs to this database's past. */
export interface DatabasePast {
  /** Of now. */
  epoch: string;
  /** No transaction of now has this id or a higher one. */
  xmax: number;
  /**
   * By start of Postgres: the first transaction id of the earliest start after it; null for the
   * latest.
   */
  starts: Record<string, number | null>;
}

/**
 * SQL for {@link DatabasePast}. Its first reading after a start may lack that start: then read
 * again.
 */
export const pastColumns = `
  database_epoch() AS epoch, pg_snapshot_xmax(pg_current_snapshot())::text::bigint AS xmax,
  (SELECT coalesce(json_object_agg(name, until), '{}') FROM (
     SELECT database_start_name(started_at) AS name,
            min(first_xid) OVER (ORDER BY id ROWS BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING) AS until
     FROM database_starts) s) AS starts`;

/** Whether the start of now is among the starts. */
export function isPastComplete({ epoch, starts }: DatabasePast): boolean {
  return startOf(epoch) in starts;
}

/**
 * Whether a transaction id that was met in an epoch means the same now: the database is the same,
 * and it has not been put back to before that id since.
 */
export function isOfPresent(epoch: string, xid: number, past: DatabasePast): boolean {
  const isSameDatabase = epoch.slice(0, nameLength) === past.epoch.slice(0, nameLength);
  const until = past.starts[startOf(epoch)];
  return isSameDatabase && xid <= past.xmax && until !== undefined && (until === null || xid <= until);
}

function startOf(epoch: string): string {
  return epoch.slice(nameLength);
}

/** Makes the opaque token clients carry (`syncToken`). */
export function encodePosition(position: Position): string {
  return Buffer.from(`1.${position.epoch}.${position.xmin}`).toString('base64url');
}

/** Reads a token back; null for anything {@link encodePosition} has not made. */
export function decodePosition(token: string): Position | null {
  const match = /^1\.([0-9a-f]+)\.(\d{1,15})$/.exec(Buffer.from(token, 'base64url').toString('latin1'));
  return match ? { epoch: match[1]!, xmin: Number(match[2]) } : null;
}

/**
 * Reads the present position.
 *
 * Calls made while a query is on its way share the next one: a thousand devices connecting at once
 * cost a few queries. They do not share the one on its way: its snapshot may be older than the
 * call.
 */
@Injectable()
export class CommitPosition {
  private current: Promise<Position> | null = null;
  private next: Promise<Position> | null = null;

  constructor(private readonly sql: Sql) {}

  /** @returns a position whose snapshot was taken after this call */
  now(): Promise<Position> {
    if (!this.current) return (this.current = this.read().finally(() => (this.current = null)));
    this.next ??= this.current
      .catch(() => undefined)
      .then(() => {
        this.next = null;
        return this.now();
      });
    return this.next;
  }

  /** The position of an open transaction's own statement. */
  async in(runner: SqlRunner): Promise<Position> {
    return this.read(runner);
  }

  private async read(runner: SqlRunner = this.sql): Promise<Position> {
    const [row] = await runner.rows<Position & { [column: string]: unknown }>({
      name: 'commit-position',
      text: `SELECT ${positionColumns}`,
    });
    return { epoch: row!.epoch, xmin: row!.xmin };
  }
}
