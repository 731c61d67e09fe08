/**
 * What happens around the server process must not end it: its log, its terminal, the limit of open
 * files.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { access, mkdir } from 'node:fs/promises';
import { connect as dialTcp, createServer, type Socket } from 'node:net';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { freePort } from '../../src/embedded/index.js';
import { noteStarted } from '../setup/started-processes.js';
import { createDatabase, type TestDatabase } from '../setup/services.js';
import { connect, testSecret } from '../support/client.js';
import { eventually } from '../setup/patience.js';

const patience = { timeout: 50_000, interval: 50 };
let database: TestDatabase;
const children: ChildProcess[] = [];

beforeAll(async () => {
  database = await createDatabase();
});

afterAll(async () => {
  for (const child of children) child.kill('SIGKILL');
  await database?.drop();
});

interface Running {
  child: ChildProcess;
  port: number;
  url: string;
  /** What it has printed; grows. */
  printed: { text: string };
}

/** @param shell what the shell does before it becomes the server */
async function launch(env: NodeJS.ProcessEnv = {}, { shell = '', listens = true } = {}): Promise<Running> {
  const port = await freePort();
  const main = join(inject('transpiledSource'), 'main.js');
  const own = { PATH: '/nowhere', DATABASE_URL: database.url, JWT_SECRET: testSecret, HOST: '127.0.0.1' };
  const child = spawn('/bin/sh', ['-c', `${shell} exec "$0" "$1"`, process.execPath, main], {
    env: { ...own, PORT: String(port), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  children.push(child);
  await once(child, 'spawn');
  await noteStarted(inject('runDir'), child.pid!);
  const printed = { text: '' };
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (chunk: string) => (printed.text += chunk));
  }
  const running = { child, port, url: `http://127.0.0.1:${port}`, printed };
  if (listens) await eventually(() => expect(printed.text).toContain('Parley listens'), patience);
  return running;
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<number | null> {
  const ended = once(child, 'exit');
  child.kill(signal);
  return ((await ended) as [number | null])[0];
}

function statusOf(url: string): Promise<number | string> {
  return fetch(`${url}/health/live`).then(
    ({ status }) => status,
    () => 'refused',
  );
}

async function metric(url: string, name: string): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text();
  return Number(new RegExp(`^${name} (\\d+)$`, 'm').exec(text)?.[1]);
}

/** Each writes a line of about 400 bytes. */
async function makeLogLines(url: string, count: number): Promise<void> {
  for (let made = 0; made < count; made += 20) {
    await Promise.all(Array.from({ length: 20 }, () => fetch(`${url}/v1/${'x'.repeat(200)}`).then((r) => r.text())));
  }
}

describe('the log', () => {
  it('loses and counts lines while the reader of a pipe hangs, and says so when it reads again', async () => {
    const { child, url, printed } = await launch();
    child.stdout!.pause();
    await eventually(async () => {
      await makeLogLines(url, 400);
      expect(await metric(url, 'parley_log_lines_dropped_total')).toBeGreaterThan(0);
    }, patience);
    const client = await connect(url, 'hung-log');
    expect(await client.ask('heartbeat')).toMatchObject({ syncToken: expect.anything() as unknown });
    client.close();
    child.stdout!.resume();
    await eventually(() => expect(printed.text).toMatch(/"\d+ lines of the log were lost: /), patience);
    expect(await end(child, 'SIGTERM')).toBe(0);
  });

  it('does not end the server when the reader of a pipe has gone', async () => {
    const { child, url } = await launch();
    child.stdout!.destroy();
    child.stderr!.destroy();
    await eventually(async () => {
      await makeLogLines(url, 20);
      expect(await metric(url, 'parley_log_lines_dropped_total')).toBeGreaterThan(0);
    }, patience);
    expect(await statusOf(url)).toBe(200);
    expect(await end(child, 'SIGTERM')).toBe(0);
  });

  it('does not end the server when its file may not grow, in the middle of a line', async () => {
    const log = join(inject('runDir'), 'limited.log');
    const { child, url } = await launch({}, { shell: `ulimit -f 16; exec >>'${log}';`, listens: false });
    await eventually(async () => expect(await statusOf(url)).toBe(200), patience);
    await eventually(async () => {
      await makeLogLines(url, 40);
      expect(await metric(url, 'parley_log_lines_dropped_total')).toBeGreaterThan(0);
    }, patience);
    expect(await end(child, 'SIGTERM')).toBe(0);
  });
});

describe('the addresses', () => {
  const hasIpv6 = async (): Promise<boolean> => {
    const server = createServer();
    try {
      await once(server.listen(0, '::1'), 'listening');
      server.close();
      return true;
    } catch {
      return false;
    }
  };

  it.each([
    ['*', [200, 200], 'localhost'],
    ['localhost', [200, 200], '(localhost|127\\.0\\.0\\.1)'],
    ['127.0.0.1', [200, 'refused'], '127\\.0\\.0\\.1'],
  ])('with HOST=%s are those that answer, and those that are printed', async (HOST, wanted, printedHost) => {
    const opsPort = await freePort();
    const { child, port, printed } = await launch({ HOST, OPS_PORT: String(opsPort) });
    const both = (at: number) => Promise.all([statusOf(`http://127.0.0.1:${at}`), statusOf(`http://[::1]:${at}`)]);
    const reachable = (statuses: unknown[], has: boolean) => (has ? statuses : [statuses[0], 'refused']);
    expect(await both(port)).toEqual(reachable(wanted, await hasIpv6()));
    // OPS_HOST is loopback unless it is set, whatever HOST says (docs/protocol.md#running).
    expect(await both(opsPort)).toEqual(reachable([200, 200], await hasIpv6()));
    expect(printed.text).toMatch(new RegExp(`Parley listens on http://${printedHost}:${port} `));
    expect(await end(child, 'SIGTERM')).toBe(0);
  });
});

describe('the limit of open files', () => {
  it('stops the start with one line when it is too small', async () => {
    const { child, printed } = await launch({}, { shell: 'ulimit -n 256;', listens: false });
    await once(child, 'close');
    expect(child.exitCode).toBe(1);
    expect(printed.text).toMatch(/^The limit of open files is 256; the server needs at least 1024: .*\n$/);
  });

  it('is named when it is reached, and ends neither the server nor open connections', async () => {
    const { child, url, port, printed } = await launch({}, { shell: 'ulimit -n 1024;' });
    const client = await connect(url, 'early');
    const sockets: Socket[] = [];
    await eventually(() => {
      // The server ends those that say nothing, on a slow machine before the last one has come.
      const open = sockets.filter(({ destroyed }) => !destroyed).length;
      for (let i = open; i < 1_100; i++) sockets.push(dialTcp(port, '127.0.0.1').on('error', () => undefined));
      expect(printed.text).toContain('The limit of open files (1024) is reached');
    }, patience);
    expect(await client.ask('heartbeat')).toMatchObject({ syncToken: expect.anything() as unknown });
    for (const socket of sockets) socket.destroy();
    await eventually(async () => expect(await statusOf(url)).toBe(200), patience);
    expect(await metric(url, 'parley_open_files_exhausted')).toBeLessThanOrEqual(1);
    client.close();
    expect(await end(child, 'SIGTERM')).toBe(0);
  });
});

it('ends with its own Postgres and Redis when the terminal is closed', async () => {
  const dataDir = join(inject('runDir'), 'hang-up');
  await mkdir(dataDir, { mode: 0o755 });
  const { child } = await launch({
    DATABASE_URL: '',
    JWT_SECRET: '',
    PATH: dirname(inject('redisServerPath')),
    DATA_DIR: dataDir,
  });
  const exists = (file: string) =>
    access(join(dataDir, file)).then(
      () => true,
      () => false,
    );
  const files = ['postgres/postmaster.pid', 'redis.json'];
  expect(await Promise.all(files.map(exists))).toEqual([true, true]);
  // As `npm start | head -1` does before somebody closes the terminal.
  child.stdout!.destroy();
  expect(await end(child, 'SIGHUP')).toBe(0);
  expect(await Promise.all(files.map(exists))).toEqual([false, false]);
});
