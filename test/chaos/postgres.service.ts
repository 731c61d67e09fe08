import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import pg from 'pg';
import { startEmbeddedPostgres, type EmbeddedPostgres } from '../../src/embedded/index.js';

const run = promisify(execFile);
const restartTimeoutMs = 30_000;

// Killing processes loses nothing the system's cache holds: fsync can be off, the order of commits
// cannot.
const settings = { fsync: 'off', synchronous_commit: 'on', max_connections: '100' };

/** A Postgres of the run's own; one that was ended comes back by itself on the same port. */
export class PostgresService {
  private constructor(
    private readonly server: EmbeddedPostgres,
    private readonly clusterDir: string,
  ) {}

  static async start(dataDir: string): Promise<PostgresService> {
    const server = await startEmbeddedPostgres({ dataDir, settings });
    const [row] = await rowsOf<{ data_directory: string }>(server.url, 'SHOW data_directory');
    return new PostgresService(server, row!.data_directory);
  }

  get url(): string {
    return this.server.url;
  }

  rows<T>(text: string): Promise<T[]> {
    return rowsOf<T>(this.url, text);
  }

  /** @param signal SIGINT: fast shutdown; SIGQUIT: as after a crash, with recovery */
  async restart(signal: 'SIGINT' | 'SIGQUIT'): Promise<void> {
    const before = await this.pid();
    process.kill(before, signal);
    const deadline = performance.now() + restartTimeoutMs;
    while (!(await this.hasComeBack(before))) {
      if (performance.now() > deadline) throw new Error('Postgres did not come back');
      await pause(50);
    }
  }

  /** @returns how many backends were ended */
  async terminateBackends(): Promise<number> {
    const rows = await this.rows<{ ended: boolean }>(
      `SELECT pg_terminate_backend(pid) AS ended FROM pg_stat_activity
       WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()`,
    );
    return rows.filter(({ ended }) => ended).length;
  }

  /** Refuses all writes, as a standby does. */
  async setReadOnly(isReadOnly: boolean): Promise<void> {
    await this.rows(`ALTER SYSTEM SET default_transaction_read_only = ${isReadOnly ? 'on' : 'off'}`);
    await this.rows('SELECT pg_reload_conf()');
  }

  /** Stops the server and all its backends where they stand. @returns how to let them go on */
  async hang(): Promise<() => void> {
    const parent = await this.pid();
    process.kill(parent, 'SIGSTOP');
    const children = await childrenOf(parent);
    const signalled = [parent, ...children];
    for (const pid of children) signal(pid, 'SIGSTOP');
    return () => signalled.reverse().forEach((pid) => signal(pid, 'SIGCONT'));
  }

  stop(): Promise<void> {
    return this.server.stop();
  }

  private async pid(): Promise<number> {
    const [first] = (await readFile(join(this.clusterDir, 'postmaster.pid'), 'utf8')).split('\n');
    return Number(first);
  }

  private async hasComeBack(before: number): Promise<boolean> {
    const now = await this.pid().catch(() => before);
    if (now === before) return false;
    return this.rows('SELECT 1').then(
      () => true,
      () => false,
    );
  }
}

async function rowsOf<T>(url: string, text: string): Promise<T[]> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5_000 });
  client.on('error', () => undefined);
  try {
    await client.connect();
    return (await client.query(text)).rows as T[];
  } finally {
    await client.end().catch(() => undefined);
  }
}

async function childrenOf(pid: number): Promise<number[]> {
  const text =
    process.platform === 'linux'
      ? await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8')
      : (await run('pgrep', ['-P', String(pid)])).stdout;
  return text.trim().split(/\s+/).filter(Boolean).map(Number);
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // A backend that has ended meanwhile.
  }
}
