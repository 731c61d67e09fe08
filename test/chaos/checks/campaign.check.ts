import type { Violation } from '../violation.js';
import type { RecordedRun } from './recorded-run.js';

/** Share of the planned sends; outages that last longer than planned cost some. */
const leastShare = 0.8;

/** A run counts only if its faults fired, its load was there, and its history is complete. */
export function checkCampaign(run: RecordedRun): Violation[] {
  return [...faults(run), ...load(run), ...notes(run)];
}

function faults(run: RecordedRun): Violation[] {
  const begun = new Map(run.of('fault-begin').map((one) => [one.i, one]));
  const ended = new Set(run.of('fault-end').map(({ i }) => i));
  const failed = new Map(run.of('fault-failed').map((one) => [one.i, one]));
  const planned = run.of('fault-planned');
  const wrong = planned.flatMap(({ i, name }) => {
    const failure = failed.get(i);
    if (failure) return [violation(failure.t, `fault ${name} failed: ${failure.reason}`)];
    const begin = begun.get(i);
    if (!begin) return [violation(run.endT, `fault ${name} was planned and did not fire`)];
    if (begin.hit === 0) return [violation(begin.t, `fault ${name} hit nothing`)];
    return ended.has(i) ? [] : [violation(begin.t, `fault ${name} did not end`)];
  });
  return planned.length === 0 ? [violation(run.endT, 'no faults were planned')] : wrong;
}

function load(run: RecordedRun): Violation[] {
  const [plan] = run.of('run');
  if (!plan) return [violation(0, 'there is no plan')];
  const least = Math.floor(plan.minutes * 60 * plan.sendsPerSecond * leastShare);
  const acked = ackedSends(run);
  const unsent = run.of('quiet')[0]?.unsent ?? 0;
  return [
    ...(acked < least ? [violation(run.endT, `${acked} sends acked, at least ${least} were due`)] : []),
    ...(unsent > 0 ? [violation(run.quietT, `${unsent} messages never got through`)] : []),
  ];
}

/** Messages, not tries: how many keys were acked. */
export function ackedSends(run: RecordedRun): number {
  const acked = run.asksFor('send-message').filter(({ answer }) => answer?.ok);
  return new Set(acked.map(({ key }) => key)).size;
}

function notes(run: RecordedRun): Violation[] {
  const isWhole = run.of('quiet').length === 1 && run.of('settled').length === 1 && run.stored.length > 0;
  return isWhole ? [] : [violation(run.endT, 'the run did not come to its end')];
}

function violation(t: number, what: string): Violation {
  return { kind: 'campaign', t, what };
}
