import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { access, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { delimiter, join, resolve } from 'node:path';
import { lockDirectory } from './directory-lock.js';
import { asEmbeddedServiceError } from './embedded-service.error.js';
import { freePort } from './free-port.js';
import { ServiceProcess } from './service-process.js';

export interface EmbeddedRedis {
  /** `redis://…` on 127.0.0.1, another port and password at each start. */
  url: string;
  /** Resolves when it has ended. */
  stop(): Promise<void>;
}

interface Endpoint {
  port: number;
  password: string;
}

const replyTimeoutMs = 1_000;

/** The first of `redis-server` and `valkey-server` on the PATH; null: neither is there. */
export async function findRedisServer(path = process.env['PATH'] ?? ''): Promise<string | null> {
  for (const name of ['redis-server', 'valkey-server']) {
    for (const dir of path.split(delimiter).filter(Boolean)) {
      const found = await access(join(dir, name), constants.X_OK).then(
        () => true,
        () => false,
      );
      if (found) return join(dir, name);
    }
  }
  return null;
}

/**
 * Sends inline commands and returns all replies; the client library belongs to the `redis` folder.
 */
function ask({ port, password }: Endpoint, command: string): Promise<string> {
  return new Promise((resolveReply) => {
    let reply = '';
    const socket = connect(port, '127.0.0.1', () => socket.write(`AUTH ${password}\r\n${command}\r\nQUIT\r\n`));
    socket.setTimeout(replyTimeoutMs, () => socket.destroy());
    socket.on('data', (chunk) => (reply += chunk.toString('latin1')));
    socket.on('error', () => undefined);
    socket.on('close', () => resolveReply(reply));
  });
}

async function shutDown(endpoint: Endpoint): Promise<void> {
  await ask(endpoint, 'SHUTDOWN NOSAVE');
}

// Its port and password are known, so a stranger on that port is asked in vain and nobody is killed
// by a reused id.
async function stopLeftover(stateFile: string): Promise<void> {
  const state = await readFile(stateFile, 'utf8').catch(() => null);
  if (state !== null) await shutDown(JSON.parse(state) as Endpoint).catch(() => undefined);
  await rm(stateFile, { force: true });
}

function configuration({ port, password }: Endpoint): string {
  return [`bind 127.0.0.1`, `port ${port}`, `requirepass ${password}`, 'save ""', 'appendonly no', ''].join('\n');
}

function serverProcess(command: string, dataDir: string, endpoint: Endpoint): ServiceProcess {
  return new ServiceProcess({
    name: 'The private Redis',
    command,
    args: ['-'],
    input: configuration(endpoint),
    cwd: dataDir,
    logFile: join(dataDir, 'redis.log'),
    isReady: async () => (await ask(endpoint, 'PING')).includes('+PONG'),
    end: () => shutDown(endpoint),
  });
}

async function serve(command: string, dataDir: string): Promise<EmbeddedRedis> {
  const stateFile = join(dataDir, 'redis.json');
  await stopLeftover(stateFile);
  const endpoint = { port: await freePort(), password: randomBytes(24).toString('hex') };
  await writeFile(stateFile, JSON.stringify(endpoint), { mode: 0o600 });
  const server = serverProcess(command, dataDir, endpoint);
  await server.start().catch((error: unknown) => {
    server.kill();
    throw error;
  });
  const stop = () => server.stop().then(() => rm(stateFile, { force: true }));
  return { url: `redis://:${endpoint.password}@127.0.0.1:${endpoint.port}`, stop };
}

/**
 * Starts a private Redis (or Valkey) for this app alone, on 127.0.0.1 and with a random password.
 * It keeps nothing on disk: what must survive is in Postgres.
 *
 * Guarantees: a signal to the app's process group does not reach it; one left by an app that was
 * killed hard ends at the next start on the same directory; one that dies is started again, empty.
 *
 * @returns null when there is no such program on the PATH
 * @throws EmbeddedServiceError one line: directory in use, no permission
 */
export async function startEmbeddedRedis(options: { dataDir: string }): Promise<EmbeddedRedis | null> {
  const command = await findRedisServer();
  if (command === null) return null;
  const dataDir = resolve(options.dataDir);
  try {
    await mkdir(dataDir, { recursive: true });
    const lock = await lockDirectory(join(dataDir, 'redis.lock'));
    try {
      const { url, stop } = await serve(command, dataDir);
      return { url, stop: () => stop().finally(() => lock.release()) };
    } catch (error) {
      await lock.release();
      throw error;
    }
  } catch (error) {
    throw asEmbeddedServiceError(error, `The private Redis cannot use ${dataDir}`);
  }
}
