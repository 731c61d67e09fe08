import { createHash } from 'node:crypto';
import { unlink } from 'node:fs/promises';
import { connect, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { EmbeddedServiceError } from './embedded-service.error.js';

export interface DirectoryLock {
  release(): Promise<void>;
}

// The least limit of the systems we run on (macOS); a longer path is cut off silently.
const maxSocketPathBytes = 103;

function listen(path: string): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer((connection) => connection.destroy());
    server.once('error', reject);
    server.listen(path, () => resolve(server.unref()));
  });
}

function isAnswered(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = connect(path);
    probe.once('connect', () => resolve(true));
    probe.once('error', () => resolve(false));
    probe.once('close', () => probe.destroy());
  });
}

function socketPaths(file: string): string[] {
  const hash = createHash('sha256').update(file).digest('hex').slice(0, 16);
  if (process.platform === 'win32') return [`\\\\.\\pipe\\parley-${hash}`];
  const elsewhere = join(tmpdir(), `parley-${hash}.lock`);
  return Buffer.byteLength(file) <= maxSocketPathBytes ? [file, elsewhere] : [elsewhere];
}

async function listenUnlessAnswered(path: string): Promise<Server> {
  try {
    return await listen(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE' || (await isAnswered(path))) throw error;
    await unlink(path);
    return listen(path);
  }
}

/**
 * Makes this process the only user of a file name, until it releases it or dies, however it dies.
 *
 * The lock is a listening socket: the kernel lets go of it with the process, so unlike a file with
 * a process id it is never stale after a hard kill, a reboot or in a container that counts its
 * processes from 1 again.
 *
 * @throws EmbeddedServiceError another live process holds it
 */
export async function lockDirectory(file: string): Promise<DirectoryLock> {
  let failure: unknown;
  for (const path of socketPaths(file)) {
    try {
      const server = await listenUnlessAnswered(path);
      return { release: () => new Promise((resolve) => server.close(() => resolve())) };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE') {
        throw new EmbeddedServiceError(
          `${dirname(file)} is in use by another Parley process; stop it, or set another DATA_DIR, or DATABASE_URL and REDIS_URL`,
          error,
        );
      }
      // Some shared folders know no sockets: the next path is in the temporary directory.
      failure = error;
    }
  }
  throw failure;
}
