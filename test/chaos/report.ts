import { ackedSends } from './checks/campaign.check.js';
import { RecordedRun } from './checks/recorded-run.js';
import type { Entry } from './history.js';
import { percentile } from './percentile.js';
import { violationKinds, type Violation, type ViolationKind } from './violation.js';

const maxShown = 12;

/** The summary of a run, in Markdown: what it did, and how often it showed what it must not. */
export function reportOf(entries: readonly Entry[], violations: readonly Violation[]): string {
  const run = new RecordedRun(entries);
  return [
    table(['run', ''], figuresOf(run)),
    table(['must not happen', 'found'], countsOf(violations)),
    ...examplesOf(violations),
    violations.length === 0 ? 'Everything held.' : `${violations.length} violations.`,
  ].join('\n\n');
}

function figuresOf(run: RecordedRun): [string, string][] {
  const [plan] = run.of('run');
  const acked = ackedSends(run);
  const tries = run.asksFor('send-message');
  const begun = run.of('fault-begin');
  const answered = tries.filter(({ answer }) => answer?.ok);
  const ackMs = answered.map(({ t, answer }) => answer!.t - t);
  const exits = run.of('node').filter(({ what }) => what === 'exit').length;
  return [
    ['seed', `${plan?.seed}`],
    ['load and faults', `${plan?.minutes} min, ${plan?.sendsPerSecond} sends/s`],
    ['faults', `${begun.length} of ${new Set(begun.map(({ name }) => name)).size} kinds`],
    ['nodes ended', `${exits}`],
    ['sends acked', `${acked} (in ${tries.length} tries)`],
    ['ack p50, p99, slowest', [0.5, 0.99, 1].map((p) => `${percentile(ackMs, p)} ms`).join(', ')],
    ['edits, deletions, reactions acked', `${changes(run)}`],
    ['devices, connections', `${run.users.size}, ${run.connections.size}`],
    ['messages seen', `${run.sightings.length}`],
    ['caught up after', `${run.of('settled')[0]?.waitedMs} ms`],
  ];
}

function changes(run: RecordedRun): number {
  const verbs = ['edit-message', 'delete-message', 'add-reaction', 'remove-reaction'];
  return run.asksFor(...verbs).filter(({ answer }) => answer?.ok).length;
}

function countsOf(violations: readonly Violation[]): [string, string][] {
  return (Object.entries(violationKinds) as [ViolationKind, string][]).map(([kind, name]) => [
    name,
    String(violations.filter((one) => one.kind === kind).length),
  ]);
}

function examplesOf(violations: readonly Violation[]): string[] {
  return (Object.keys(violationKinds) as ViolationKind[]).flatMap((kind) => {
    const some = violations.filter((one) => one.kind === kind);
    if (some.length === 0) return [];
    const lines = some.slice(0, maxShown).map(({ t, what }) => `- ${t} ms: ${what}`);
    return [[`${violationKinds[kind]}:`, '', ...lines].join('\n')];
  });
}

export function table(head: [string, string], rows: readonly [string, string][]): string {
  const widths = [0, 1].map((i) => Math.max(3, ...[head, ...rows].map((row) => row[i]!.length)));
  const line = (row: readonly string[]) => `| ${row.map((cell, i) => cell.padEnd(widths[i]!)).join(' | ')} |`;
  return [line(head), line(widths.map((width) => '-'.repeat(width))), ...rows.map(line)].join('\n');
}
