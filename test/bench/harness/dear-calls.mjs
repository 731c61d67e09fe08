import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { giveUp } from '../../../scripts/command-line.mjs';

const source = fileURLToPath(new URL('./dear-calls.c', import.meta.url));

/**
 * Has system calls of processes cost more.
 *
 * @param microseconds a call
 * @returns what their environment must hold, and the directory it needs until the end; ends this
 *   process where that cannot be
 */
export function dearCalls(microseconds) {
  const directory = mkdtempSync(join(tmpdir(), 'parley-dear-calls-'));
  const library = join(directory, 'dear-calls.so');
  const { status, stderr } = spawnSync('cc', ['-O2', '-shared', '-fPIC', '-o', library, source, '-ldl']);
  if (status !== 0) {
    rmSync(directory, { recursive: true });
    giveUp(`--call-us needs Linux and a C compiler, cc: ${stderr ?? 'there is none'}`, 1);
  }
  return { directory, env: { LD_PRELOAD: library, CALL_NS: String(Math.round(microseconds * 1_000)) } };
}
