import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * Notes a process a test started, so that the end of the run ends it, even if the test's own
 * process died.
 */
export async function noteStarted(runDir: string, pid: number): Promise<void> {
  await mkdir(join(runDir, 'pids'), { recursive: true });
  await writeFile(join(runDir, 'pids', String(pid)), '');
}

export async function noteEnded(runDir: string, pid: number): Promise<void> {
  await rm(join(runDir, 'pids', String(pid)), { force: true });
}

/** Ends what {@link noteStarted} noted and nobody ended. */
export async function killLeftovers(runDir: string): Promise<void> {
  for (const pid of await readdir(join(runDir, 'pids')).catch(() => [])) {
    try {
      process.kill(Number(pid), 'SIGKILL');
    } catch {
      // It has ended by itself.
    }
  }
}
