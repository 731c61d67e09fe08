import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import type { TestProject } from 'vitest/node';
import { runMigrations } from '../../src/database/index.js';
import { startEmbeddedPostgres } from '../../src/embedded/index.js';
import { requirePgBouncer, requireRedisServer } from './programs.js';
import { killLeftovers } from './started-processes.js';
import { transpileSource } from './transpiled-source.js';

declare module 'vitest' {
  export interface ProvidedContext {
    /** The shared Postgres, as its superuser. */
    postgresUrl: string;
    redisServerPath: string;
    pgBouncerPath: string;
    /** A directory of this run, removed at its end. */
    runDir: string;
    /**
     * The JavaScript of `src/`, for tests that need processes of their own: `node
     * <transpiledSource>/main.js`.
     */
    transpiledSource: string;
  }
}

/** Migrated once; every test database is a copy of it. */
const templateDatabase = 'parley_template';

// Durability is of no use to a throw-away cluster; everything else is as in production.
const fastSettings = {
  fsync: 'off',
  synchronous_commit: 'off',
  full_page_writes: 'off',
  autovacuum_naptime: '10min',
  max_connections: '300',
};

async function makeTemplate(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query(`CREATE DATABASE ${templateDatabase}`);
  await runMigrations(Object.assign(new URL(url), { pathname: `/${templateDatabase}` }).href);
  await client.end();
}

/**
 * Once per run: one Postgres, the programs of Redis and PgBouncer, the compiled source. Whatever is
 * missing ends the run.
 */
export default async function setUp(project: TestProject): Promise<() => Promise<void>> {
  const runDir = await mkdtemp(join(tmpdir(), 'parley-test-'));
  // Postgres, an unprivileged user when root runs the tests, must be able to enter.
  await chmod(runDir, 0o755);
  const redisServerPath = await requireRedisServer();
  const pgBouncerPath = await requirePgBouncer();
  const postgres = await startEmbeddedPostgres({ dataDir: join(runDir, 'shared'), settings: fastSettings });
  await makeTemplate(postgres.url);
  project.provide('runDir', runDir);
  project.provide('redisServerPath', redisServerPath);
  project.provide('pgBouncerPath', pgBouncerPath);
  project.provide('postgresUrl', postgres.url);
  project.provide('transpiledSource', await transpileSource());
  return async () => {
    await killLeftovers(runDir);
    await postgres.stop();
    await rm(runDir, { recursive: true, force: true });
  };
}
