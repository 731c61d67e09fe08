import { Injectable } from '@nestjs/common';
import { Sql, type SqlRunner } from '../database/index.js';

/**
 * What happened, for nodes to act on. `kind` names the handler; `payload` is its own and never
 * holds a message body.
 */
export interface Notice {
  kind: string;
  payload: unknown;
  /** Random, set when it is enlisted and every node reads it from the log: a node acts on it once. */
  id?: string;
}

interface OutboxRow {
  id: number;
  notices: Notice[];
  [column: string]: unknown;
}

/** The table of notices that were committed and not yet announced. Almost always almost empty. */
@Injectable()
export class OutboxRepository {
  constructor(private readonly sql: Sql) {}

  /** Writes notices into the caller's transaction. @returns the row's id */
  async insert(tx: SqlRunner, nodeId: string, notices: Notice[]): Promise<number> {
    const [row] = await tx.rows<{ id: number }>({
      name: 'outbox-insert',
      text: 'INSERT INTO outbox (node_id, notices) VALUES ($1, $2) RETURNING id',
      values: [nodeId, JSON.stringify(notices)],
    });
    return row!.id;
  }

  async delete(ids: number[], runner: SqlRunner = this.sql): Promise<void> {
    await runner.rows({
      name: 'outbox-delete',
      text: 'DELETE FROM outbox WHERE id = ANY ($1::bigint[])',
      values: [ids],
    });
  }

  /**
   * Hands rows older than `minAgeMs` to `announce`, oldest first, and deletes them when it
   * resolves.
   *
   * Rows another node is announcing at this moment are skipped, so each is taken by one node only.
   * @returns how many rows were announced
   */
  async claim(minAgeMs: number, limit: number, announce: (rows: OutboxRow[]) => Promise<void>): Promise<number> {
    return this.sql.transaction(async (tx) => {
      const rows = await tx.rows<OutboxRow>({
        name: 'outbox-claim',
        text: `SELECT id, notices FROM outbox
               WHERE created_at < clock_timestamp() - make_interval(secs => $1)
               ORDER BY id LIMIT $2 FOR UPDATE SKIP LOCKED`,
        values: [minAgeMs / 1_000, limit],
      });
      if (rows.length === 0) return 0;
      await announce(rows);
      await this.delete(
        rows.map((row) => row.id),
        tx,
      );
      return rows.length;
    });
  }
}
