import type { INestApplication } from '@nestjs/common';
import { join } from 'node:path';
import { mintDevelopmentToken } from './auth/index.js';
import { makeSettings, readSettings, SettingsError, usesDevelopmentSecret, type Settings } from './config/index.js';
import { assertMigrated, assertReachable } from './database/index.js';
import { EmbeddedServiceError, startEmbeddedPostgres, startEmbeddedRedis } from './embedded/index.js';
import { assertPortsFree } from './ops/index.js';
import { createServer } from './server.js';

interface Stoppable {
  stop(): Promise<void>;
}

/** Services this process started itself, newest last; stopped after the app has drained. */
const services: Stoppable[] = [];

async function stopServices(): Promise<void> {
  for (const service of services.reverse()) await service.stop().catch(() => undefined);
}

/** Starts what no setting names: a real Postgres, and a private Redis where one is installed. */
async function withServices(settings: Settings): Promise<Settings> {
  const found: { databaseUrl?: string; redisUrl?: string } = {};
  if (settings.databaseUrl === undefined) {
    const postgres = await startEmbeddedPostgres({ dataDir: settings.dataDir });
    services.push(postgres);
    found.databaseUrl = postgres.url;
  }
  if (settings.redisUrl === undefined) {
    const redis = await startEmbeddedRedis({ dataDir: settings.dataDir });
    if (redis) services.push(redis);
    if (redis) found.redisUrl = redis.url;
  }
  return makeSettings({ ...settings, ...found });
}

async function announce(settings: Settings, given: Settings, url: string): Promise<void> {
  const lines = [
    '',
    `  Parley listens on ${url} (API documents: ${url}/docs)`,
    `  Postgres: ${given.databaseUrl === undefined ? `embedded, data in ${join(settings.dataDir, 'postgres')}` : 'DATABASE_URL'}`,
    `  Redis:    ${engineLine(settings, given)}`,
  ];
  if (settings.nodeEnv !== 'production' && usesDevelopmentSecret(settings)) {
    lines.push('', '  Development tokens (npm run token -- NAME mints more):');
    for (const name of ['alice', 'bob']) lines.push(`  ${name}: ${await mintDevelopmentToken(settings, name)}`);
  }
  process.stdout.write(`${lines.join('\n')}\n\n`);
}

function engineLine(settings: Settings, given: Settings): string {
  if (given.redisUrl !== undefined) return 'REDIS_URL';
  if (settings.redisUrl !== undefined) return 'private, from the redis-server on the PATH';
  return 'none found: ephemeral state is in memory, for this one process only';
}

function explain(error: unknown): string {
  if (error instanceof SettingsError || error instanceof EmbeddedServiceError) return error.message;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

let app: INestApplication | undefined;
let isStopping = false;

/** Ends the process in time whatever hangs (guarantee 11): what is acked is committed. */
function stopOnSignals(settings: Settings, started: Promise<void>): void {
  const stop = async (): Promise<void> => {
    if (isStopping) return;
    isStopping = true;
    setTimeout(() => process.exit(0), settings.shutdownTimeoutMs + 500).unref();
    // Else a service that is starting would be left behind.
    await started;
    await app?.close();
    await stopServices();
    process.exit(0);
  };
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => void stop());
}

async function start(given: Settings): Promise<void> {
  const settings = await withServices(given);
  await assertReachable(settings.databaseUrl!);
  if (!settings.migrationsRun) await assertMigrated(settings.databaseUrl!);
  if (isStopping) return;
  app = await createServer(settings);
  await app.listen(settings.port, settings.host);
  const url = await app.getUrl();
  await announce(settings, given, url.replace(/\[::1?\]|0\.0\.0\.0/, 'localhost'));
}

async function main(): Promise<void> {
  process.on('unhandledRejection', reportUnhandled);
  const given = readSettings(process.env);
  await assertPortsFree(given);
  const started = start(given);
  stopOnSignals(given, started);
  await started;
}

function reportUnhandled(reason: unknown): void {
  process.stderr.write(
    `unhandled rejection: ${reason instanceof Error ? (reason.stack ?? reason.message) : String(reason)}\n`,
  );
}

main().catch(async (error: unknown) => {
  process.stderr.write(`${explain(error)}\n`);
  await stopServices();
  process.exit(1);
});
