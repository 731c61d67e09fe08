import { groupBy } from '../group-by.js';
import type { StoredMessage } from '../history.js';
import type { Violation } from '../violation.js';
import { type AskRecord, type RecordedRun } from './recorded-run.js';

/**
 * Every acked change is stored as it was acked (guarantee 1): sends, edits, deletions, reactions.
 */
export function checkLost(run: RecordedRun): Violation[] {
  const asks = run.asksFor('send-message', 'edit-message', 'delete-message', 'add-reaction', 'remove-reaction');
  return asks.flatMap((ask) => {
    const why = ask.answer?.ok ? lossOf(ask, run.storedById.get(ask.answer.id ?? ask.id!)) : null;
    return why === null ? [] : [{ kind: 'lost', t: ask.answer!.t, what: `${ask.d} ${ask.event} ask ${ask.a}: ${why}` }];
  });
}

function lossOf({ event, c, key, text, answer }: AskRecord, stored: StoredMessage | undefined): string | null {
  const { id, seq, rev } = answer!;
  if (!stored) return `acked as ${id} at ${c} seq ${seq}, not stored`;
  if (event === 'delete-message')
    return stored.text === null ? null : `acked, and ${stored.id} still reads ${stored.text}`;
  if (stored.rev < rev!) return `acked as rev ${rev} of ${id}, stored is ${stored.rev}`;
  if (event === 'edit-message' && stored.rev === rev && stored.text !== text) {
    return `acked "${text}" as rev ${rev} of ${id}, stored is "${stored.text}"`;
  }
  if (event !== 'send-message' || (stored.c === c && stored.key === key && stored.seq === seq)) return null;
  return `acked ${key} as ${id} at ${c} seq ${seq}, stored is ${stored.key} at ${stored.c} seq ${stored.seq}`;
}

/**
 * One stored message a (conversation, sender, clientMessageId), and one answer to all its tries
 * (guarantee 2).
 */
export function checkTwice(run: RecordedRun): Violation[] {
  const keyed = run.stored.filter(({ key }) => key !== null);
  const doubled = [...groupBy(keyed, ({ c, sender, key }) => `${c} ${sender} ${key}`).values()].filter(
    (same) => same.length > 1,
  );
  const answered = run.asksFor('send-message').filter(({ answer }) => answer?.ok);
  const answers = groupBy(answered, ({ c, d, key }) => `${c} ${run.users.get(d)} ${key}`);
  const differing = [...answers].filter(([, same]) => new Set(same.map(({ answer }) => answer!.id)).size > 1);
  return [
    ...doubled.map((same) => at(run.endT, `${same[0]!.key}: ${same.map(({ id }) => id).join(', ')}`)),
    ...differing.map(([key, same]) =>
      at(same[1]!.answer!.t, `${key} acked as ${same.map(({ answer }) => answer!.id).join(', ')}`),
    ),
  ];
}

function at(t: number, what: string): Violation {
  return { kind: 'twice', t, what };
}
