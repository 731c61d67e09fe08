import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chown, mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { EmbeddedServiceError } from './embedded-service.error.js';
import type { PostgresBinaries } from './postgres-binaries.js';
import type { PostgresHome } from './postgres-home.js';

const run = promisify(execFile);
const majorVersion = '18';

/** The environment of Postgres. A `PGPORT` or `LC_ALL` of the user's shell must not change it. */
export const postgresEnv: NodeJS.ProcessEnv = {
  PATH: process.env['PATH'],
  SystemRoot: process.env['SystemRoot'],
  TZ: 'UTC',
  LC_ALL: 'C',
};

/** The one user of the cluster, and its database. */
export const postgresUser = 'parley';

function passwordFile(home: PostgresHome): string {
  return join(home.dir, 'postgres.password');
}

async function give(path: string, { account }: PostgresHome): Promise<void> {
  if (account.uid !== undefined) await chown(path, account.uid, account.gid!);
}

async function clusterVersion({ cluster }: PostgresHome): Promise<string | null> {
  return readFile(join(cluster, 'PG_VERSION'), 'utf8').then(
    (text) => text.trim(),
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return null;
      throw error;
    },
  );
}

async function initialise(home: PostgresHome, binaries: PostgresBinaries): Promise<void> {
  // Under another name first: a start that is killed half way leaves no half cluster behind.
  const half = `${home.cluster}.new`;
  await rm(half, { recursive: true, force: true });
  await mkdir(half, { mode: 0o700 });
  await give(half, home);
  await rm(passwordFile(home), { force: true });
  await writeFile(passwordFile(home), randomBytes(24).toString('hex'), { mode: 0o600, flag: 'wx' });
  await give(passwordFile(home), home);
  const options = ['--encoding=UTF8', '--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8'];
  const access = ['--auth=scram-sha-256', `--username=${postgresUser}`, `--pwfile=${passwordFile(home)}`];
  await run(binaries.initdb, ['-D', half, ...options, ...access], { ...home.account, cwd: home.dir, env: postgresEnv });
  await rename(half, home.cluster);
}

/**
 * Makes the cluster at the first start.
 *
 * @returns the password of {@link postgresUser}, random, kept beside the cluster for its owner only
 */
export async function ensureCluster(home: PostgresHome, binaries: PostgresBinaries): Promise<string> {
  const version = await clusterVersion(home);
  if (version === null) await initialise(home, binaries);
  else if (version !== majorVersion) {
    throw new EmbeddedServiceError(
      `${home.cluster} was made by Postgres ${version}, this is ${majorVersion}: dump it with the old one, or move it away`,
    );
  }
  return readFile(passwordFile(home), 'utf8');
}

async function commandLineOf(pid: string): Promise<string> {
  const reading =
    process.platform === 'linux'
      ? // Empty for a zombie, which a container without an init process never gets rid of.
        readFile(`/proc/${pid}/cmdline`, 'latin1').then((text) => text.replaceAll('\0', ' '))
      : run('ps', ['-ww', '-o', 'command=', '-p', pid]).then(({ stdout }) => stdout);
  return reading.catch(() => '');
}

function exists(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

async function isServing(home: PostgresHome): Promise<boolean> {
  const file = join(home.cluster, 'postmaster.pid');
  const [pid] = (await readFile(file, 'utf8').catch(() => '')).split('\n');
  if (!pid) return false;
  if (process.platform === 'win32' || (await commandLineOf(pid)).includes(`-D ${home.cluster} `)) return true;
  // After a reboot or in a new container the number may be anybody's, and Postgres would refuse to
  // start. One that is nobody's is left to Postgres, which then also waits for the dead server's
  // own children.
  if (exists(Number(pid))) await rm(file, { force: true });
  return false;
}

/**
 * Ends the cluster's Postgres, if one runs: transactions in flight are rolled back, what is
 * committed is on disk.
 */
export async function stopCluster(home: PostgresHome, binaries: PostgresBinaries): Promise<void> {
  if (!(await isServing(home))) return;
  const stop = (mode: string) =>
    run(binaries.pgCtl, ['stop', '-D', home.cluster, '-m', mode, '-w', '-t', '20'], {
      ...home.account,
      cwd: home.dir,
      env: postgresEnv,
    });
  await stop('fast').catch(() => stop('immediate'));
}

/** Whether the cluster's files belong to the user who is going to run it. */
export async function assertOwner(home: PostgresHome): Promise<void> {
  const wanted = home.account.uid ?? process.getuid?.();
  const { uid } = await stat(home.cluster).catch(() => ({ uid: wanted }));
  if (uid !== wanted) {
    throw new EmbeddedServiceError(
      `${home.cluster} belongs to user ${uid}; start as that user or as root, or set another DATA_DIR`,
    );
  }
}
