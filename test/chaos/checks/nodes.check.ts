import type { NodeEvent } from '../history.js';
import type { Violation } from '../violation.js';
import type { RecordedRun } from './recorded-run.js';

/** Guarantee 11, and a second for a busy machine. */
const exitBoundMs = 11_000;

/**
 * Nodes end only on a signal, in time and with 0. They print no line that a healthy process would
 * not print.
 */
export function checkNodes(run: RecordedRun): Violation[] {
  return run.of('node').flatMap((event) => {
    const why = faultOf(event);
    return why === null ? [] : [{ kind: 'node', t: event.t, what: `node ${event.node}: ${why}` }];
  });
}

function faultOf({ what, because, code, signal, tookMs = 0, line }: NodeEvent): string | null {
  if (what === 'complaint') return line ?? 'a complaint';
  if (what !== 'exit' || because === 'SIGKILL') return null;
  if (because == null) return `ended by itself with ${code ?? signal}`;
  if (code !== 0) return `ended with ${code ?? signal} after ${because}`;
  return tookMs > exitBoundMs ? `took ${tookMs} ms to end after ${because}` : null;
}
