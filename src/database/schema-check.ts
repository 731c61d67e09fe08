import { SettingsError } from '../config/index.js';
import { migrations } from './migrations/index.js';
import { singleConnection } from './postgres.client.js';

/**
 * Makes sure that a database whose migrations this process is not to run has had them. One that is
 * ahead is fine: a newer version has migrated it, and migrations only add.
 *
 * @throws SettingsError
 */
export async function assertMigrated(url: string): Promise<void> {
  const client = singleConnection(url);
  try {
    await client.connect();
    const { rows } = await client.query<{ found: string | null }>("SELECT to_regclass('migrations') AS found");
    const done = rows[0]?.found ? await client.query<{ name: string }>('SELECT name FROM migrations') : { rows: [] };
    const known = new Set(done.rows.map(({ name }) => name));
    const missing = migrations.filter(({ name }) => !known.has(name));
    if (missing.length === 0) return;
    throw new SettingsError([
      `MIGRATIONS_RUN: is false, and the database lacks ${missing.length} migrations; run them with npm run migration:run`,
    ]);
  } finally {
    void client.end().catch(() => undefined);
  }
}
