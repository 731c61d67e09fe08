import { spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { inject } from 'vitest';
import { noteStarted } from './started-processes.js';

/**
 * Runs a compiled file of `src/` as a Node process of its own, to be killed at will; what is
 * forgotten ends with the run.
 *
 * @param file such as `main.js`
 * @param env over this process' own environment
 * @param args of the command line
 * @returns the child; its output is piped, and it can send messages
 */
export async function spawnSource(
  file: string,
  env: NodeJS.ProcessEnv = {},
  args: string[] = [],
): Promise<ChildProcess> {
  const child = spawn(process.execPath, [join(inject('transpiledSource'), file), ...args], {
    env: { ...process.env, ...env },
    cwd: inject('runDir'),
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  await once(child, 'spawn');
  await noteStarted(inject('runDir'), child.pid!);
  return child;
}

/**
 * Runs `body` as the body of an async function in a Node process of its own, until it is killed.
 *
 * @param folder of `src/`, whose `index.js` the body sees as `module`
 * @returns the child and what `body` returned
 */
export async function runInProcess<T>(folder: string, body: string): Promise<{ child: ChildProcess; result: T }> {
  const index = JSON.stringify(join(inject('transpiledSource'), folder, 'index.js'));
  const script = join(inject('runDir'), `${randomBytes(6).toString('hex')}.mjs`);
  const run = `process.send({ result: await (async () => { ${body} })() });`;
  await writeFile(script, `import * as module from ${index};\n${run}\nsetInterval(() => undefined, 1000);\n`);
  const child = spawn(process.execPath, [script], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  await once(child, 'spawn');
  await noteStarted(inject('runDir'), child.pid!);
  const [{ result }] = (await once(child, 'message')) as [{ result: T }];
  return { child, result };
}
