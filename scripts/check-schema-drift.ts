/**
 * Shows that entities and migrations describe the same tables: on an empty database, after every
 * migration, TypeORM would change nothing. Tables, functions and indexes without an entity are the
 * migrations' own business.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DataSource } from 'typeorm';
import { dataSourceOptions, runMigrations } from '../src/database/index.js';
import { startEmbeddedPostgres } from '../src/embedded/index.js';

async function withScratchDatabase<T>(work: (url: string) => Promise<T>): Promise<T> {
  const dataDir = await mkdtemp(join(tmpdir(), 'parley-drift-'));
  const postgres = await startEmbeddedPostgres({ dataDir, settings: { fsync: 'off' } });
  try {
    return await work(postgres.url);
  } finally {
    await postgres.stop();
    await rm(dataDir, { recursive: true, force: true });
  }
}

async function drift(url: string): Promise<{ tables: number; statements: string[] }> {
  await runMigrations(url);
  const entities = [join(import.meta.dirname, '../src/**/*.entity.ts')];
  const dataSource = await new DataSource(
    dataSourceOptions({ url, poolSize: 2, timeoutMs: 30_000 }, entities),
  ).initialize();
  try {
    const { upQueries } = await dataSource.driver.createSchemaBuilder().log();
    return { tables: dataSource.entityMetadatas.length, statements: upQueries.map(({ query }) => query) };
  } finally {
    await dataSource.destroy();
  }
}

const { tables, statements } = await withScratchDatabase(drift);
for (const statement of statements) console.error(statement);
console.log(`schema: ${tables} entities, ${statements.length} differences from the migrations`);
process.exitCode = tables === 0 || statements.length > 0 ? 1 : 0;
