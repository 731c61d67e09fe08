/**
 * Postgres: one DataSource, migrations under a lock, statements with time-outs and errors that say
 * which side failed.
 */
export {
  CommitPosition,
  decodePosition,
  encodePosition,
  isOfPresent,
  isPastComplete,
  pastColumns,
  positionColumns,
  type DatabasePast,
  type Position,
} from './commit-position.js';
export { DatabaseModule } from './database.module.js';
export { dataSourceOptions, type DatabaseTarget } from './data-source.options.js';
export { SlowSql } from './slow-sql.js';
export { UserTurns } from './user-turns.js';
export { runMigrations } from './migrate.js';
export { singleConnection } from './postgres.client.js';
export { prepareDatabase } from './prepare-database.js';
export { isDatabaseAway, isLockTimeout, Sql, type SqlRunner, type Statement } from './sql.js';
export { WatchSql } from './watch-sql.js';
