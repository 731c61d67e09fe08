import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmod, mkdir, readlink, stat, symlink } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { EmbeddedServiceError } from './embedded-service.error.js';
import type { Account } from './service-process.js';

const run = promisify(execFile);

// `nobody`, the only unprivileged id every system has.
const nobody = 65_534;
const elsewhere = '/var/lib/parley';

/** Where the database lies and who runs it. */
export interface PostgresHome {
  /** Holds the lock, the password and the log; the account can enter it. */
  dir: string;
  /** Postgres' own data directory in it; may not exist yet. */
  cluster: string;
  account: Account;
}

async function ownerOf(path: string): Promise<number | undefined> {
  return stat(path).then(
    ({ uid }) => uid,
    () => undefined,
  );
}

// Postgres refuses to run as root.
async function accountFor(cluster: string): Promise<Account> {
  if (process.getuid?.() !== 0) return {};
  const uid = (await ownerOf(cluster)) || nobody;
  return { uid, gid: uid };
}

async function canEnter(dir: string, account: Account): Promise<boolean> {
  if (account.uid === undefined) return true;
  // Asked of the system itself, which also knows access lists and mount options.
  return run('/bin/sh', ['-c', 'cd "$1"', 'sh', dir], account).then(
    () => true,
    () => false,
  );
}

async function moveElsewhere(link: string): Promise<string> {
  const dir = join(elsewhere, randomBytes(6).toString('hex'));
  await mkdir(dir, { recursive: true, mode: 0o755 });
  await chmod(elsewhere, 0o755);
  await chmod(dir, 0o755);
  await symlink(join(dir, 'postgres'), link);
  return dir;
}

async function clusterPath(link: string): Promise<string> {
  return readlink(link).then(
    (target) => resolve(dirname(link), target),
    () => link,
  );
}

/**
 * Prepares the place for the database: `<dataDir>/postgres`.
 *
 * As root it must be a place the unprivileged account can enter. Under a closed directory (a
 * project in /root) the data goes to /var/lib/parley and `<dataDir>/postgres` is a link to it:
 * nobody's home directory is opened for this.
 */
export async function preparePostgresHome(dataDir: string): Promise<PostgresHome> {
  await mkdir(dataDir, { recursive: true });
  const link = join(dataDir, 'postgres');
  const cluster = await clusterPath(link);
  const account = await accountFor(cluster);
  const dir = dirname(cluster);
  if (account.uid !== undefined && dir === dataDir) await chmod(dir, (await stat(dir)).mode | 0o111);
  if (await canEnter(dir, account)) return { dir, cluster, account };
  if ((await ownerOf(cluster)) !== undefined || dir !== dataDir) {
    throw new EmbeddedServiceError(
      `${cluster}: user ${account.uid} cannot enter the directories above it; move the data, or open them (chmod o+x)`,
    );
  }
  const moved = await moveElsewhere(link);
  return { dir: moved, cluster: join(moved, 'postgres'), account };
}
