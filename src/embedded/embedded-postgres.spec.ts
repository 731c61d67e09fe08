import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmod, chown, mkdir, mkdtemp, readdir, readFile, readlink, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import pg from 'pg';
import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest';
import { runInProcess } from '../../test/setup/node-process.js';
import { EmbeddedServiceError, startEmbeddedPostgres, type EmbeddedPostgres } from './index.js';
import { eventually } from '../../test/setup/patience.js';

let dataDir: string;
const running = new Set<EmbeddedPostgres>();

async function start(dir = dataDir): Promise<EmbeddedPostgres> {
  const postgres = await startEmbeddedPostgres({ dataDir: dir });
  running.add(postgres);
  return postgres;
}

async function stop(postgres: EmbeddedPostgres): Promise<void> {
  running.delete(postgres);
  await postgres.stop();
}

async function rowsOf(url: string, text: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(text)).rows;
  } finally {
    await client.end();
  }
}

async function postmasterPid(): Promise<number> {
  return Number((await readFile(join(dataDir, 'postgres', 'postmaster.pid'), 'utf8')).split('\n')[0]);
}

/** Another Node process that starts the same data directory, as the app does. */
async function startApp(): Promise<{ app: ChildProcess; url: string }> {
  const body = `return (await module.startEmbeddedPostgres({ dataDir: ${JSON.stringify(dataDir)} })).url;`;
  const { child, result } = await runInProcess<string>('embedded', body);
  return { app: child, url: result };
}

async function kill(app: ChildProcess): Promise<void> {
  const ended = once(app, 'exit');
  app.kill('SIGKILL');
  await ended;
}

beforeEach(async () => {
  const parent = await mkdtemp(join(inject('runDir'), 'postgres-'));
  await chmod(parent, 0o755);
  dataDir = join(parent, 'data');
});

afterEach(async () => {
  await Promise.all([...running].map(stop));
  await rm(join(dataDir, '..'), { recursive: true, force: true });
});

// Each makes a cluster with fsync on, which takes a busy disk seconds.
describe('startEmbeddedPostgres', () => {
  it('serves Postgres 18 on loopback, below the ephemeral ports, durably, to those who know the password', async () => {
    const { url } = await start();
    const [row] = await rowsOf(
      url,
      `SELECT current_setting('server_version') AS version, current_setting('fsync') AS fsync,
              current_setting('listen_addresses') AS addresses, current_setting('server_encoding') AS encoding`,
    );
    expect(row).toMatchObject({ fsync: 'on', addresses: '127.0.0.1', encoding: 'UTF8' });
    expect(row?.['version']).toMatch(/^18\./);
    expect(Number(new URL(url).port)).toBeLessThan(32_768);
    const stranger = Object.assign(new URL(url), { password: 'guess' }).href;
    await expect(rowsOf(stranger, 'SELECT 1')).rejects.toThrow(/password authentication failed/);
    expect((await stat(join(dataDir, 'postgres.password'))).mode & 0o777).toBe(0o600);
  });

  it('keeps the data over a stop and a start', async () => {
    const first = await start();
    await rowsOf(first.url, 'CREATE TABLE kept AS SELECT 42 AS answer');
    await stop(first);
    const second = await start();
    expect(await rowsOf(second.url, 'SELECT answer FROM kept')).toEqual([{ answer: 42 }]);
  });

  it('runs apart from the app: a process group of its own, unprivileged under root, gone after stop', async () => {
    const postgres = await start();
    const pid = await postmasterPid();
    expect(() => process.kill(-pid, 0)).not.toThrow();
    expect((await stat(join(dataDir, 'postgres'))).uid).toBe(process.getuid?.() || 65_534);
    await stop(postgres);
    expect(() => process.kill(pid, 0)).toThrow(/ESRCH/);
  });

  it.runIf(process.getuid?.() === 0)(
    'keeps the data where that user can go when the project is under /root',
    async () => {
      await chmod(dirname(dataDir), 0o700);
      const first = await start();
      await rowsOf(first.url, 'CREATE TABLE kept AS SELECT 42 AS answer');
      await stop(first);
      const second = await start();
      expect(await rowsOf(second.url, 'SELECT answer FROM kept')).toEqual([{ answer: 42 }]);
      await stop(second);
      expect((await stat(dirname(dataDir))).mode & 0o777).toBe(0o700);
      await rm(dirname(await readlink(join(dataDir, 'postgres'))), { recursive: true });
    },
  );

  it('goes on with the data after the app was killed hard', async () => {
    const { app, url } = await startApp();
    await rowsOf(url, 'CREATE TABLE kept AS SELECT 42 AS answer');
    const orphan = await postmasterPid();
    await kill(app);
    const next = await start();
    expect(await rowsOf(next.url, 'SELECT answer FROM kept')).toEqual([{ answer: 42 }]);
    expect(await postmasterPid()).not.toBe(orphan);
  });

  it('goes on with the data after app and server were killed hard', async () => {
    const { app, url } = await startApp();
    await rowsOf(url, 'CREATE TABLE kept AS SELECT 42 AS answer');
    const server = await postmasterPid();
    await kill(app);
    process.kill(server, 'SIGKILL');
    const next = await start();
    expect(await rowsOf(next.url, 'SELECT answer FROM kept')).toEqual([{ answer: 42 }]);
  });

  it('is not deceived by a process id that belongs to somebody else by now', async () => {
    await stop(await start());
    const file = join(dataDir, 'postgres', 'postmaster.pid');
    await writeFile(file, `${process.pid}\n${join(dataDir, 'postgres')}\n0\n5432\n\n127.0.0.1\n`);
    await expect(start()).resolves.toHaveProperty('url');
  });

  it('starts a server again that dies under a living app', async () => {
    const { url } = await start();
    process.kill(await postmasterPid(), 'SIGKILL');
    await eventually(() => rowsOf(url, 'SELECT 1'), { timeout: 10_000, interval: 200 });
  });

  it('refuses a second app on the same data directory in one line', async () => {
    const { app } = await startApp();
    const refusal = await start().catch((error: unknown) => error as Error);
    await kill(app);
    expect(refusal).toBeInstanceOf(EmbeddedServiceError);
    expect((refusal as Error).message).toMatch(/^[^\n]* is in use by another Parley process[^\n]*$/);
    await start();
  });

  it('starts anew after a first start that was killed half way', async () => {
    await mkdir(join(dataDir, 'postgres.new', 'base'), { recursive: true });
    await start();
    expect(await readdir(dataDir)).not.toContain('postgres.new');
  });

  it('says in one line that the data is of another Postgres', async () => {
    await mkdir(join(dataDir, 'postgres'), { recursive: true });
    await chown(join(dataDir, 'postgres'), process.getuid!() || 65_534, process.getgid!() || 65_534);
    await writeFile(join(dataDir, 'postgres', 'PG_VERSION'), '17\n');
    await expect(start()).rejects.toThrow(/^[^\n]*was made by Postgres 17, this is 18[^\n]*$/);
  });

  it('says in one line that the directory cannot be made', async () => {
    await writeFile(dataDir, 'a file');
    await expect(start(join(dataDir, 'below'))).rejects.toThrow(/^[^\n]*a part of the path is a file$/);
  });
});
