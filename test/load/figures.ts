import { percentile } from '../chaos/percentile.js';

/** Milliseconds. */
export interface Figures {
  count: number;
  p50: number;
  p99: number;
  max: number;
}

export function figuresOf(valuesMs: readonly number[]): Figures {
  const rounded = valuesMs.map(Math.round);
  return {
    count: rounded.length,
    p50: percentile(rounded, 0.5),
    p99: percentile(rounded, 0.99),
    max: Math.max(...rounded),
  };
}

/** Prints a line of figures, past the reporter's own output. */
export function print(what: string, { count, p50, p99, max }: Figures): void {
  process.stdout.write(`${what.padEnd(60)} ${count} times: p50 ${p50} ms, p99 ${p99} ms, maximum ${max} ms\n`);
}
