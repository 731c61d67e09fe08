import { ChatError } from '../common/index.js';
import type { Pool, PoolClient, QueryResultRow } from 'pg';
import { HangWatch, isSilence } from './hang-watch.js';
import { OutageLog } from './outage-log.js';

/**
 * One statement. A `name` makes it a prepared one, planned once per connection: for the hot path.
 */
export interface Statement {
  name?: string;
  text: string;
  values?: unknown[];
}

/** Something statements can be sent to: the pool, or an open transaction. */
export interface SqlRunner {
  /** @returns the rows; `bigint` comes as a number, `timestamptz` as a Date */
  rows<T extends QueryResultRow>(text: string | Statement, values?: unknown[]): Promise<T[]>;
}

// Class 08: connection; 28: sign-in refused; 3D000: no such database; 53: resources; 57P: operator
// intervention (shutdown, cancel); 25006: read-only; 40: rollback; 55P03: lock not available; 58:
// system error (disk).
const unavailableStates = /^(08|28|3D000|53|57P|57014|25006|40|55P03|58)/;
const unavailableErrnos = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'EHOSTDOWN',
  'ENETUNREACH',
  'ECONNABORTED',
  'EPROTO',
]);
// Certificates and TLS, as Node names what is wrong with them.
const tlsCodes = /^(ERR_TLS|ERR_SSL|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO|CERT_|HOSTNAME_MISMATCH|INVALID_CA)/;
const unavailableMessages =
  /timeout exceeded when trying to connect|Query read timeout|Connection terminated|Client has encountered a connection error|not queryable|Cannot use a pool after calling end|^SASL:|SSL connection/i;

/** Whether a driver's error says that Postgres is away, not that the statement is wrong. */
export function isDatabaseAway(error: unknown): error is Error {
  if (!(error instanceof Error)) return false;
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  const isDialing = 'syscall' in error && error.syscall === 'connect';
  return (
    isDialing ||
    unavailableStates.test(code) ||
    unavailableErrnos.has(code) ||
    tlsCodes.test(code) ||
    unavailableMessages.test(error.message)
  );
}

/**
 * Whether a statement was given up because another transaction holds a lock; nothing of it was
 * stored.
 */
export function isLockTimeout(error: unknown): boolean {
  const cause: unknown = error instanceof ChatError ? error.cause : error;
  return cause instanceof Error && 'code' in cause && cause.code === '55P03';
}

/** As Postgres refuses a write. */
class ReadOnlyError extends Error {
  readonly code = '25006';

  constructor() {
    super('the database takes no writes: it is a standby or read-only');
  }
}

function unavailable(cause?: unknown): ChatError {
  return new ChatError('UNAVAILABLE', { message: 'The database is away', retryAfterMs: 1_000, cause });
}

/**
 * Statements to Postgres, with time-outs, and with errors that say which side failed.
 *
 * Guarantees: no call takes longer than about twice `DATABASE_TIMEOUT_MS` (one for a connection,
 * one for the statement), and none waits at all while Postgres is known to hang; a lost connection,
 * a time-out or a refusing server is `ChatError UNAVAILABLE`, any other error is the driver's own.
 * An abandoned connection is closed, not given to the next caller.
 */
export class Sql implements SqlRunner {
  private readonly hangs: HangWatch;
  private readonly outages = new OutageLog();

  constructor(private readonly pool: Pool) {
    this.listenToErrors();
    this.hangs = new HangWatch(() => this.pool.query('SELECT 1'));
  }

  rows<T extends QueryResultRow>(text: string | Statement, values?: unknown[]): Promise<T[]> {
    return this.run<T>(this.pool, text, values);
  }

  /**
   * Runs `work` in one READ COMMITTED transaction: commits when it resolves, rolls back when it
   * rejects.
   */
  async transaction<T>(work: (tx: SqlRunner) => Promise<T>): Promise<T> {
    const client = await this.connect();
    let broken: Error | undefined;
    try {
      await this.run(client, 'BEGIN');
      const result = await work({ rows: (text, values) => this.run(client, text, values) });
      await this.run(client, 'COMMIT');
      return result;
    } catch (error) {
      // Closing the connection rolls back as well, and waits for nobody.
      if (error instanceof ChatError && error.code === 'UNAVAILABLE') broken = error;
      else await this.run(client, 'ROLLBACK').catch((rollbackError: Error) => (broken = rollbackError));
      throw error;
    } finally {
      client.release(broken);
    }
  }

  /**
   * For pools that are not ours. Cut between two statements, or in the very packet that hands a
   * connection over: the next statement fails. The pool listens to idle connections only, and
   * without a listener the process would end.
   */
  private listenToErrors(): void {
    const watched = new WeakSet<PoolClient>();
    this.pool.on('acquire', (client) => {
      if (watched.has(client)) return;
      watched.add(client);
      client.on('error', () => undefined);
    });
  }

  private async connect(): Promise<PoolClient> {
    this.assertAnswering();
    try {
      return await this.pool.connect();
    } catch (error) {
      throw this.translated(error);
    }
  }

  private async run<T extends QueryResultRow>(
    target: Pool | PoolClient,
    text: string | Statement,
    values?: unknown[],
  ): Promise<T[]> {
    this.assertAnswering();
    try {
      const result = await target.query<T>(typeof text === 'string' ? { text, ...(values ? { values } : {}) } : text);
      return result.rows;
    } catch (error) {
      throw this.translated(error);
    }
  }

  private assertAnswering(): void {
    if (this.hangs.isHanging) throw unavailable();
  }

  private translated(error: unknown): unknown {
    if (isSilence(error)) this.hangs.noteSilence();
    if (!isDatabaseAway(error)) return error;
    this.outages.note(error);
    return unavailable(error);
  }

  /** @throws ChatError UNAVAILABLE unless Postgres answers and takes writes */
  async assertWritable(): Promise<void> {
    const [row] = await this.rows<{ isReadOnly: boolean }>(
      `SELECT pg_is_in_recovery() OR current_setting('transaction_read_only') = 'on' AS "isReadOnly"`,
    );
    if (row!.isReadOnly) throw this.translated(new ReadOnlyError());
  }

  /** Connections in use, idle, and callers waiting for one. */
  get usage(): { total: number; idle: number; waiting: number } {
    return { total: this.pool.totalCount, idle: this.pool.idleCount, waiting: this.pool.waitingCount };
  }
}
