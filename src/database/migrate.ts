import { DataSource } from 'typeorm';
import { dataSourceOptions } from './data-source.options.js';

// Any constant will do, as long as nobody else uses it on this database.
const migrationLockKey = 7_271_956_130;

/**
 * Brings the schema up to date.
 *
 * TypeORM takes no lock of its own, so nodes that start together would collide: an advisory lock
 * lets one run them and the others wait.
 *
 * @returns the names of the migrations that ran now
 */
export async function runMigrations(url: string): Promise<string[]> {
  const options = dataSourceOptions({ url, poolSize: 2, timeoutMs: 10_000 });
  // A migration may take as long as it needs; only connecting is bounded.
  const dataSource = new DataSource({ ...options, extra: { keepAlive: true } });
  await dataSource.initialize();
  const lock = dataSource.createQueryRunner();
  try {
    await lock.query('SELECT pg_advisory_lock($1)', [migrationLockKey]);
    const ran = await dataSource.runMigrations({ transaction: 'each' });
    return ran.map((migration) => migration.name);
  } finally {
    await lock.query('SELECT pg_advisory_unlock($1)', [migrationLockKey]).catch(() => undefined);
    await lock.release();
    await dataSource.destroy();
  }
}
