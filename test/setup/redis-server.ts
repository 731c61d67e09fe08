import { spawnSync } from 'node:child_process';
import { findRedisServer } from '../../src/embedded/index.js';

function installCommands(): string[] {
  if (process.platform === 'darwin') return ['brew install redis'];
  const sudo = process.getuid?.() === 0 ? '' : 'sudo -n ';
  return [`${sudo}apt-get update -q`, `${sudo}apt-get install -y -q --no-install-recommends redis-server`];
}

/**
 * The path of redis-server or valkey-server; installs one where there is none, and says so in one
 * line.
 *
 * @throws Error when there is none and none can be installed: tests against Redis are never skipped
 */
export async function requireRedisServer(): Promise<string> {
  const present = await findRedisServer();
  if (present !== null) return present;
  const commands = installCommands().join(' && ');
  console.log(`Tests need redis-server or valkey-server and found neither on the PATH; installing it: ${commands}`);
  const { status, stderr } = spawnSync('/bin/sh', ['-c', `${commands} >/dev/null`], {
    encoding: 'utf8',
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
  });
  const installed = await findRedisServer();
  if (installed !== null) return installed;
  const reason = stderr?.trim().split('\n').at(-1) ?? '';
  throw new Error(`Tests need redis-server or valkey-server on the PATH; installing it failed (${status}): ${reason}`);
}
