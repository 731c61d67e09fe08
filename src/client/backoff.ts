/**
 * How long to wait before try `failures` + 1: doubling, and no two clients the same, so that those
 * who lost one server together do not come back together.
 *
 * @param failures in a row so far, from 1
 * @returns milliseconds, between half of `baseMs` · 2^(failures - 1) and all of it, at most `maxMs`
 */
export function backoffMs(failures: number, baseMs: number, maxMs: number): number {
  const ceilingMs = Math.min(maxMs, baseMs * 2 ** Math.min(failures - 1, 20));
  return ceilingMs * (0.5 + Math.random() / 2);
}

/** Resolves after a while. */
export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
