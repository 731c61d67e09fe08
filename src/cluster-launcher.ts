/**
 * `npm run cluster -- --nodes 4`: one process per node behind one port, to use all cores of one
 * machine.
 */
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { announcement, explanation, warnOfMistypedSettings } from './announcement.js';
import { ownDatabaseVariable, ownPort, Supervisor } from './cluster/index.js';
import { readServerSettings, settingsTable, SettingsError, type Settings } from './config/index.js';
import { prepareDatabase } from './database/index.js';
import {
  assertPortsFree,
  guardStandardStreams,
  listenHosts,
  standardError,
  standardOutput,
  urlOf,
} from './ops/index.js';
import { OwnServices } from './services.js';

const maxNodes = 64;
const maxPort = 65_535;
const services = new OwnServices();

function nodesWanted(args: string[]): number {
  const { values } = parseArgs({ args, options: { nodes: { type: 'string' } } });
  const nodes = Number(values.nodes ?? availableParallelism());
  if (Number.isInteger(nodes) && nodes >= 1 && nodes <= maxNodes) return nodes;
  throw new SettingsError([`--nodes: must be a whole number from 1 to ${maxNodes}`]);
}

async function assertPorts(settings: Settings, nodes: number): Promise<void> {
  const { port, opsPort } = settings;
  if (port === 0 || port + nodes > maxPort) {
    throw new SettingsError([`PORT: each node also takes one of the ${nodes} ports above it, so it cannot be ${port}`]);
  }
  await assertPortsFree(settings);
  for (let number = 1; number <= nodes; number++) {
    await assertPortsFree({ ...settings, host: '127.0.0.1', port: ownPort(port, number), opsPort: 0 });
    if (opsPort !== 0) await assertPortsFree({ ...settings, port: opsPort + number - 1, opsPort: 0 });
  }
}

function assertRedis({ redisUrl }: Settings): void {
  if (redisUrl !== undefined) return;
  throw new SettingsError([
    'REDIS_URL: several nodes need a Redis, and there is no redis-server or valkey-server on the PATH to start one',
  ]);
}

/**
 * Gives a node the URLs of the services in place of variables that name files. Gives it its own
 * ports as well, where Prometheus can ask it.
 */
function environmentOf(
  { databaseUrl, redisUrl, opsPort }: Settings,
  number: number,
  hasOwnDatabase: boolean,
): NodeJS.ProcessEnv {
  return {
    [settingsTable.databaseUrl.env]: databaseUrl,
    [`${settingsTable.databaseUrl.env}_FILE`]: undefined,
    [settingsTable.redisUrl.env]: redisUrl,
    [`${settingsTable.redisUrl.env}_FILE`]: undefined,
    [ownDatabaseVariable]: hasOwnDatabase ? 'true' : undefined,
    ...(opsPort === 0 ? {} : { [settingsTable.opsPort.env]: String(opsPort + number - 1) }),
  };
}

function supervise(given: Settings, settings: Settings, nodes: number, addresses: number): Supervisor {
  return new Supervisor({
    nodes,
    exec: fileURLToPath(new URL('./main.js', import.meta.url)),
    port: settings.port,
    addresses,
    env: (number) => environmentOf(settings, number, given.databaseUrl === undefined),
    stopTimeoutMs: settings.shutdownTimeoutMs + 2_000,
    log: (line) => standardError.write(`${line}\n`),
  });
}

let supervisor: Supervisor | undefined;
let isStopping = false;

function stopOnSignals(started: Promise<void>): void {
  const stop = async (): Promise<void> => {
    if (isStopping) return;
    isStopping = true;
    // Nodes that are starting end too; before there are any, a service that is starting would be
    // left behind.
    if (supervisor) await supervisor.stop();
    else await started;
    await services.stop();
    process.exit(0);
  };
  // SIGHUP: the terminal was closed. The services that were started must end as well.
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => void stop());
}

async function start(given: Settings, nodes: number): Promise<void> {
  const settings = await services.start(given, nodes);
  assertRedis(settings);
  await prepareDatabase({
    url: settings.databaseUrl!,
    mustMigrate: settings.migrationsRun,
    onWait: (line) => standardError.write(`${line}\n`),
  });
  if (isStopping) return;
  const hosts = await listenHosts(settings.host);
  supervisor = supervise(given, settings, nodes, hosts.length);
  await supervisor.start();
  const ids = [...supervisor.pids].map(([number, pid]) => `${pid} (port ${ownPort(settings.port, number)})`);
  const details = [`Nodes:    ${nodes}, processes ${ids.join(', ')}`];
  standardOutput.write(await announcement(settings, given, urlOf(hosts, settings.port), details));
}

async function main(): Promise<void> {
  guardStandardStreams();
  const nodes = nodesWanted(process.argv.slice(2));
  const given = readServerSettings(process.env);
  warnOfMistypedSettings(given);
  await assertPorts(given, nodes);
  const started = start(given, nodes);
  stopOnSignals(started);
  await started;
}

main().catch(async (error: unknown) => {
  standardError.write(`${explanation(error)}\n`);
  await services.stop();
  process.exit(1);
});
