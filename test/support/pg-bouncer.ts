/** The real PgBouncer before the shared Postgres of the run. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, chown, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { inject } from 'vitest';
import { freePort } from '../../src/embedded/index.js';
import { noteEnded, noteStarted } from '../setup/started-processes.js';

export interface PgBouncer {
  /** Leads to the same database through the pooler. */
  url: string;
  stop(): Promise<void>;
}

// As root it refuses to run; the user of the embedded Postgres can read the folder of the run.
const account = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {};

/** @param more further lines of its section `[pgbouncer]` */
export async function startPgBouncer(databaseUrl: string, mode: string, more = ''): Promise<PgBouncer> {
  const target = new URL(databaseUrl);
  const port = await freePort();
  const directory = join(inject('runDir'), `pgbouncer-${port}`);
  const database = target.pathname.slice(1);
  const files = {
    users: `"${target.username}" "${target.password}"\n`,
    ini: `[databases]
${database} = host=127.0.0.1 port=${target.port} dbname=${database} user=${target.username} password=${target.password}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
auth_type = scram-sha-256
auth_file = ${directory}/users
unix_socket_dir =
pool_mode = ${mode}
default_pool_size = 60
max_client_conn = 200
${more}
`,
  };
  await mkdir(directory);
  for (const [name, text] of Object.entries(files)) {
    const path = join(directory, name);
    await writeFile(path, text, { mode: 0o600 });
    if (account.uid !== undefined) await chown(path, account.uid, account.gid);
  }
  await chmod(directory, 0o755);
  const child = spawn(inject('pgBouncerPath'), [join(directory, 'ini')], {
    ...account,
    cwd: directory,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const ended = once(child, 'exit');
  await once(child, 'spawn');
  await noteStarted(inject('runDir'), child.pid!);
  let log = '';
  await new Promise<void>((resolve, reject) => {
    child.stderr.on('data', (chunk: Buffer) => {
      log += String(chunk);
      if (/process up/.test(log)) resolve();
    });
    void ended.then(() => reject(new Error(`pgbouncer ended: ${log}`)));
  });
  const stop = async (): Promise<void> => {
    child.kill('SIGKILL');
    await ended;
    await noteEnded(inject('runDir'), child.pid!);
  };
  return { url: Object.assign(target, { port: String(port) }).href, stop };
}
