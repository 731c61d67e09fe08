import type { INestApplication } from '@nestjs/common';
import { availableParallelism } from 'node:os';
import { setFlagsFromString } from 'node:v8';
import { announcement, explanation, warnOfMistypedSettings } from './announcement.js';
import { clusterNode, routeToSiblings } from './cluster/index.js';
import { readServerSettings, type Settings } from './config/index.js';
import { prepareDatabase } from './database/index.js';
import { assertPortsFree, guardStandardStreams, listen, standardError, standardOutput } from './ops/index.js';
import { createServer } from './server.js';
import { OwnServices } from './services.js';

const services = new OwnServices();
/** Set in a process that `npm run cluster` started. */
const node = clusterNode();
let app: INestApplication | undefined;
let isStopping = false;

/**
 * Ends the process in time, even if something hangs (guarantee 11). Acked messages are committed.
 */
function stopOnSignals(settings: Settings, started: Promise<void>): void {
  const stop = async (): Promise<void> => {
    if (isStopping) return;
    isStopping = true;
    setTimeout(() => process.exit(0), settings.shutdownTimeoutMs + 500).unref();
    // Else a service that is starting would be left behind.
    await started;
    await app?.close();
    await services.stop();
    process.exit(0);
  };
  // SIGHUP: the terminal was closed. The services that were started must end as well.
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => void stop());
}

async function start(given: Settings): Promise<void> {
  const settings = await services.start(given);
  await prepareDatabase({
    url: settings.databaseUrl!,
    mustMigrate: settings.migrationsRun,
    onWait: (line) => standardError.write(`${line}\n`),
  });
  if (isStopping) return;
  app = await createServer(settings, {}, node);
  if (node) await routeToSiblings(await app.init(), node, settings.port);
  const url = await listen(app, settings);
  if (!node) standardOutput.write(await announcement(settings, given, url));
}

/**
 * Without a free core, the helper threads of V8's young collection take time from Postgres, Redis
 * or the next node. A send costs a twentieth less without them. V8 reads the flag before each
 * collection.
 */
function collectAlone(): void {
  if (availableParallelism() <= 2 || node) setFlagsFromString('--no-parallel-scavenge');
}

async function main(): Promise<void> {
  collectAlone();
  guardStandardStreams();
  process.on('unhandledRejection', reportUnhandled);
  const given = readServerSettings(process.env, { hasOwnDatabase: node?.hasOwnDatabase ?? false });
  // A node's environment and ports are the launcher's: it has looked.
  if (!node) warnOfMistypedSettings(given);
  if (!node) await assertPortsFree(given);
  const started = start(given);
  stopOnSignals(given, started);
  await started;
}

function reportUnhandled(reason: unknown): void {
  standardError.write(
    `unhandled rejection: ${reason instanceof Error ? (reason.stack ?? reason.message) : String(reason)}\n`,
  );
}

main().catch(async (error: unknown) => {
  standardError.write(`${explanation(error)}\n`);
  await services.stop();
  process.exit(1);
});
