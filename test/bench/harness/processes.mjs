/** Node processes of this run; none outlives it. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';

/** Additional environment variables of every process of this run. */
export const commonEnv = {};
const running = new Set();
const stopTimeoutMs = 12_000;

/**
 * Starts `node ARGS` with only the given environment and what is common to all, and resolves once
 * it has printed `word`.
 *
 * @throws Error with what it printed, when it ends before
 */
export async function startNode(args, env, word) {
  const child = spawn(process.execPath, args, { env: { ...commonEnv, ...env }, stdio: ['ignore', 'pipe', 'inherit'] });
  running.add(child);
  let output = '';
  await new Promise((resolve, reject) => {
    child.stdout.on('data', (chunk) => {
      if (output.includes(word)) return;
      output += chunk;
      if (output.includes(word)) resolve();
    });
    child.once('exit', (code) => {
      running.delete(child);
      reject(new Error(`node ${args.join(' ')} ended with ${code}: ${output}`));
    });
  });
  return child;
}

/** Asks a process to end, and ends it when it does not. */
export async function stopNode(child) {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  const gaveUp = setTimeout(() => child.kill('SIGKILL'), stopTimeoutMs);
  await ended;
  clearTimeout(gaveUp);
}

/** Ends what still runs, at once. */
export function killAll() {
  for (const child of running) child.kill('SIGKILL');
}

/** Has {@link killAll} end a process that was started elsewhere, too. */
export function track(child) {
  running.add(child);
  child.once('exit', () => running.delete(child));
}
