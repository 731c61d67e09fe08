import { Sql } from './sql.js';

/**
 * As {@link Sql}, on a small pool of its own (`DATABASE_SLOW_POOL_SIZE`): for reads that may take
 * seconds. However many there are, sends and quick reads find their connections. Put them behind
 * `UserTurns.slow`, so that one user does not take this pool from the others.
 */
export class SlowSql extends Sql {}
