import type { DataSourceOptions } from 'typeorm';
import { migrations } from './migrations/index.js';
import { postgresClientOf } from './postgres.client.js';

export interface DatabaseTarget {
  url: string;
  poolSize: number;
  /** Of connecting, and of each statement. */
  timeoutMs: number;
  /** Only connecting is bounded: a migration may take as long as it needs. */
  isUnbounded?: boolean;
}

/**
 * The one description of the database connection: the app, the migration CLI (`ormconfig.ts`) and
 * the tests use it.
 *
 * @param entities none where only migrations run
 */
export function dataSourceOptions(
  target: DatabaseTarget,
  entities: DataSourceOptions['entities'] = [],
): DataSourceOptions {
  return {
    type: 'postgres',
    entities,
    migrations,
    migrationsTableName: 'migrations',
    // Also for the CLI: a backfill commits in steps.
    migrationsTransactionMode: 'each',
    synchronize: false,
    logging: false,
    parseInt8: true,
    poolSize: target.poolSize,
    connectTimeoutMS: target.timeoutMs,
    extra: {
      Client: postgresClientOf(target.url, {
        connectTimeoutMs: target.timeoutMs,
        // The server gives up by itself; the client's own time-out covers a server that hangs.
        statementMs: target.isUnbounded ? 0 : target.timeoutMs,
      }),
      ...(target.isUnbounded ? {} : { query_timeout: target.timeoutMs + 250 }),
      keepAlive: true,
    },
    // A pool member that dies while idle must not end the process; the next caller gets a new one.
    poolErrorHandler: () => undefined,
  };
}
