/**
 * The real services, for tests. Postgres is one server per run, with a migrated database per
 * caller; Redis is a server per caller, because publications are not kept apart by its logical
 * databases.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import pg from 'pg';
import { inject } from 'vitest';
import { runMigrations } from '../../src/database/index.js';
import { freePort, startEmbeddedPostgres } from '../../src/embedded/index.js';
import { noteEnded, noteStarted } from './started-processes.js';

export interface TestDatabase {
  url: string;
  /** Removes it; connections still open are cut. */
  drop(): Promise<void>;
}

async function administer(text: string): Promise<void> {
  const client = new pg.Client({ connectionString: inject('postgresUrl') });
  await client.connect();
  try {
    await client.query(text);
  } finally {
    await client.end();
  }
}

/** A database of one's own with the newest schema and no rows, in about 50 ms. */
export async function createDatabase(): Promise<TestDatabase> {
  const name = `test_${randomBytes(6).toString('hex')}`;
  await administer(`CREATE DATABASE ${name} TEMPLATE parley_template`);
  const url = new URL(inject('postgresUrl'));
  url.pathname = `/${name}`;
  return { url: url.href, drop: () => administer(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`) };
}

/**
 * A Postgres server of one's own, for tests of positions: a transaction open in any database holds
 * back those of all databases of its server. In about two seconds.
 */
export async function startDatabase(): Promise<TestDatabase> {
  const dataDir = join(inject('runDir'), `postgres-${randomBytes(6).toString('hex')}`);
  const server = await startEmbeddedPostgres({ dataDir, settings: { fsync: 'off' } });
  await runMigrations(server.url);
  return { url: server.url, drop: () => server.stop() };
}

/**
 * A redis-server of one's own, to be emptied, stopped, killed and restarted at will. It is empty
 * after a restart.
 */
export interface TestRedis {
  /** The same after {@link restart}. */
  url: string;
  port: number;
  /** Id of the process that runs now. */
  readonly pid: number;
  /** Resolves when the process has ended. Does nothing when it has already. */
  stop(): Promise<void>;
  /** SIGSTOP hangs it, SIGCONT wakes it, SIGKILL resolves when it has ended. */
  kill(signal: NodeJS.Signals): Promise<void>;
  /** Ends it if it runs, and starts it on the same port. */
  restart(): Promise<void>;
  flushAll(): Promise<void>;
}

const startTimeoutMs = 10_000;

function ask(port: number, command: string): Promise<string> {
  return new Promise((resolve) => {
    let reply = '';
    const socket = connect(port, '127.0.0.1', () => socket.write(`${command}\r\nQUIT\r\n`));
    socket.setTimeout(5_000, () => socket.destroy());
    socket.on('data', (chunk) => (reply += chunk.toString('latin1')));
    socket.on('error', () => undefined);
    socket.on('close', () => resolve(reply));
  });
}

function isRunning(child: ChildProcess): boolean {
  return child.exitCode === null && child.signalCode === null;
}

async function launchRedis(port: number): Promise<ChildProcess> {
  const settings = ['--bind', '127.0.0.1', '--port', String(port), '--save', '', '--appendonly', 'no'];
  const child = spawn(inject('redisServerPath'), settings, { stdio: 'ignore', cwd: inject('runDir') });
  await once(child, 'spawn');
  await noteStarted(inject('runDir'), child.pid!);
  child.once('exit', () => void noteEnded(inject('runDir'), child.pid!));
  const deadline = Date.now() + startTimeoutMs;
  while (!(await ask(port, 'PING')).startsWith('+PONG')) {
    if (!isRunning(child) || Date.now() > deadline) throw new Error(`redis-server did not start on port ${port}`);
    await pause(10);
  }
  return child;
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (!isRunning(child)) return;
  const ended = once(child, 'exit');
  child.kill(signal);
  await ended;
}

/**
 * Starts a Redis in about 30 ms. Stop it in `afterAll`; one that is not stopped ends with the run.
 */
export async function startRedis(): Promise<TestRedis> {
  const port = await freePort();
  let child = await launchRedis(port);
  // Not SIGTERM: a server hung by SIGSTOP would not notice it.
  const stop = () => end(child, 'SIGKILL');
  return {
    url: `redis://127.0.0.1:${port}`,
    port,
    get pid() {
      return child.pid!;
    },
    stop,
    kill: async (signal) => (signal === 'SIGKILL' ? stop() : void child.kill(signal)),
    restart: async () => {
      await stop();
      child = await launchRedis(port);
    },
    flushAll: async () => void (await ask(port, 'FLUSHALL')),
  };
}

let shared: Promise<TestRedis> | undefined;

/**
 * The URL of a redis-server all tests of this file share and nobody else; it ends with the run. Do
 * not hurt it.
 */
export async function sharedRedisUrl(): Promise<string> {
  shared ??= startRedis();
  return (await shared).url;
}
