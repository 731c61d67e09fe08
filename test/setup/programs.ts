/** Programs that tests need beyond npm. One that is missing is installed, and a line says so. */
import { spawnSync } from 'node:child_process';
import { access, constants } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { findRedisServer } from '../../src/embedded/index.js';

interface Program {
  name: string;
  find(): Promise<string | null>;
  packages: { apt: string; brew: string };
}

/** On the PATH, or where Debian keeps the programs of administrators. */
async function findOnPath(name: string): Promise<string | null> {
  for (const directory of [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin']) {
    const path = join(directory, name);
    const isThere = await access(path, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (isThere) return path;
  }
  return null;
}

function installCommands({ packages }: Program): string[] {
  if (process.platform === 'darwin') return [`brew install ${packages.brew}`];
  const sudo = process.getuid?.() === 0 ? '' : 'sudo -n ';
  return [`${sudo}apt-get update -q`, `${sudo}apt-get install -y -q --no-install-recommends ${packages.apt}`];
}

/** @throws Error when it is missing and cannot be installed: no test is skipped for it */
async function need(program: Program): Promise<string> {
  const present = await program.find();
  if (present !== null) return present;
  const commands = installCommands(program).join(' && ');
  console.log(`Tests need ${program.name} and do not find it on the PATH; installing it: ${commands}`);
  const { status, stderr } = spawnSync('/bin/sh', ['-c', `${commands} >/dev/null`], {
    encoding: 'utf8',
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
  });
  const installed = await program.find();
  if (installed !== null) return installed;
  const reason = stderr?.trim().split('\n').at(-1) ?? '';
  throw new Error(`Tests need ${program.name} on the PATH; installing it failed (${status}): ${reason}`);
}

/** @returns the path of redis-server or valkey-server */
export const requireRedisServer = (): Promise<string> =>
  need({
    name: 'redis-server or valkey-server',
    find: findRedisServer,
    packages: { apt: 'redis-server', brew: 'redis' },
  });

export const requirePgBouncer = (): Promise<string> =>
  need({
    name: 'pgbouncer',
    find: () => findOnPath('pgbouncer'),
    packages: { apt: 'pgbouncer', brew: 'pgbouncer' },
  });
