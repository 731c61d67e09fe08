import type { DataSourceOptions } from 'typeorm';
import { migrations } from './migrations/index.js';

export interface DatabaseTarget {
  url: string;
  poolSize: number;
  timeoutMs: number;
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
    url: target.url,
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
    applicationName: 'parley',
    extra: {
      // The server gives up by itself; the client's own time-out covers a server that hangs.
      statement_timeout: target.timeoutMs,
      lock_timeout: target.timeoutMs,
      // A frozen node must not hold a conversation's lock for longer than others wait for it.
      idle_in_transaction_session_timeout: target.timeoutMs,
      query_timeout: target.timeoutMs + 250,
      keepAlive: true,
    },
    // A pool member that dies while idle must not end the process; the next caller gets a new one.
    poolErrorHandler: () => undefined,
  };
}
