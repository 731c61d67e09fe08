import type { Violation } from '../violation.js';
import type { RecordedRun, SightingRecord } from './recorded-run.js';

/**
 * A connection's greeting may have been under way this long: the client gives up a handshake after
 * 5 s.
 */
const greetingMs = 6_000;

interface Deletion {
  /** The time at which the first device knew: the actor's ack, or any device's event. */
  knownAt: number;
  knownT: number;
}

/**
 * Once any device knows that a message is deleted, its content appears in no answer to a later
 * request, on no later connection, and on no connection that has received the deletion.
 */
export function checkDeletions(run: RecordedRun): Violation[] {
  const deletions = deletionsOf(run);
  const told = new Set<string>();
  return run.sightings.flatMap((sighting) => {
    const { d, n, id, text, seq, c, via, t } = sighting;
    const deletion = deletions.get(id);
    if (!deletion) return [];
    if (text === null) {
      told.add(`${d} ${n} ${id}`);
      return [];
    }
    const isWrong =
      via === 'answer' ? isAskedLater(run, sighting, deletion) : isPushedLater(run, sighting, deletion, told);
    return isWrong ? [{ kind: 'deleted' as const, t, what: `${d} ${via}: ${c} seq ${seq} reads "${text}" again` }] : [];
  });
}

function deletionsOf(run: RecordedRun): Map<string, Deletion> {
  const known = new Map<string, Deletion>();
  const learn = (id: string, knownAt: number, knownT: number): void => {
    if (knownAt < (known.get(id)?.knownAt ?? Infinity)) known.set(id, { knownAt, knownT });
  };
  for (const { text, id, at, t } of run.sightings) if (text === null) learn(id, at, t);
  for (const { id, answer } of run.asksFor('delete-message')) if (answer?.ok) learn(id!, answer.at, answer.t);
  return known;
}

function isAskedLater(run: RecordedRun, { a }: SightingRecord, { knownAt }: Deletion): boolean {
  return (run.asks.get(a!)?.at ?? 0) > knownAt;
}

function isPushedLater(
  run: RecordedRun,
  { d, n, id }: SightingRecord,
  { knownT }: Deletion,
  told: Set<string>,
): boolean {
  return told.has(`${d} ${n} ${id}`) || (run.connection(d, n)?.openedT ?? 0) > knownT + greetingMs;
}
