/**
 * How long tests wait. A wait ends with what it waits for, so its limit only says when a test has
 * failed, and a busy machine must not reach it. Limits of time that are promises of the product
 * (`atMost`) are strict only in `npm run test:times`, which is for a quiet machine.
 */
import { vi } from 'vitest';

/** Whether limits of time are strict. */
export const isQuiet = process.env['QUIET_MACHINE'] === '1';

/** The limit of a wait that takes about `ms` on a quiet machine. */
export const patient = (ms: number): number => (isQuiet ? ms : Math.max(2 * ms, 30_000));

/** The upper bound of a measured time. */
export const atMost = (ms: number): number => (isQuiet ? ms : Math.max(10 * ms, 60_000));

interface WaitOptions {
  timeout?: number;
  interval?: number;
}

/** `vi.waitFor` with the patience of a busy machine. */
export function eventually<T>(look: () => T | Promise<T>, options: WaitOptions | number = {}): Promise<T> {
  const { timeout = 5_000, interval = 20 } = typeof options === 'number' ? { timeout: options } : options;
  return vi.waitFor(look, { timeout: patient(timeout), interval });
}
