import { Injectable } from '@nestjs/common';
import { Sql, type SqlRunner } from './sql.js';

/**
 * A point in the order of commits: everything by transactions below `xmin` was visible, anything else may be new.
 *
 * Transaction ids, not times: a slow transaction that commits later has an id at or above `xmin`, so nothing is skipped.
 */
export interface Position {
  /** Names this database since its last restore; a position of another epoch means nothing here. */
  epoch: string;
  xmin: number;
}

/** SQL for the position of the statement's own snapshot, to be selected along with other things. */
export const positionColumns = `pg_snapshot_xmin(pg_current_snapshot())::text::bigint AS xmin, database_epoch() AS epoch`;

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
 * Calls made while a query is on its way share the next one: a thousand devices connecting at once cost a few queries.
 * They do not share the one on its way: its snapshot may be older than the call.
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
