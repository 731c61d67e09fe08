import { Sql } from './sql.js';

/**
 * As {@link Sql}, on one connection of its own: for the lists of what takes access away. They are
 * read within `REVOCATION_BOUND_MS` also while other statements wait for a connection of the pool.
 */
export class WatchSql extends Sql {}
