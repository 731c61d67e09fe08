import { groupBy } from '../group-by.js';
import type { Violation } from '../violation.js';
import { type AskRecord, type RecordedRun, type SightingRecord } from './recorded-run.js';

/**
 * `seq` is 1, 2, 3 … in what is stored, and everybody saw each message at its own (guarantee 3).
 */
export function checkSeq(run: RecordedRun): Violation[] {
  const found: Violation[] = [];
  const report = (t: number, what: string) => void found.push({ kind: 'seq', t, what });
  for (const { c, lastSeq, lastRev } of run.of('stored-conversation')) {
    const stored = run.storedByConversation.get(c) ?? [];
    stored.forEach(({ seq }, i) => seq !== i + 1 && report(run.endT, `${c}: message ${i + 1} has seq ${seq}`));
    if (stored.length !== lastSeq) report(run.endT, `${c}: ${stored.length} messages, last seq ${lastSeq}`);
    const revs = stored.map(({ rev }) => rev);
    if (new Set(revs).size !== revs.length) report(run.endT, `${c}: two messages have the same rev`);
    if (Math.max(0, ...revs) > lastRev) report(run.endT, `${c}: a rev above the last, ${lastRev}`);
  }
  for (const { id, c, seq, d, t } of run.sightings) {
    const stored = run.storedById.get(id);
    if (!stored) report(t, `${d} saw ${id} at ${c} seq ${seq}, which is not stored`);
    else if (stored.seq !== seq || stored.c !== c)
      report(t, `${d} saw ${id} at ${c} seq ${seq}, stored is ${stored.seq}`);
  }
  return found;
}

/**
 * Messages that one connection sends get their seq in that order. New messages arrive in the order
 * of seq, and missed ones before newer ones (guarantees 3, 5).
 */
export function checkOrder(run: RecordedRun): Violation[] {
  return [...sendsOutOfOrder(run), ...newsOutOfOrder(run), ...newsWithHoles(run)];
}

function sendsOutOfOrder(run: RecordedRun): Violation[] {
  const first = run.asksFor('send-message').filter(({ answer }) => answer?.ok && answer.duplicate === false);
  return [...groupBy(first, ({ d, n, c }) => `${d} ${n} ${c}`)].flatMap(([lane, asks]) =>
    asks.flatMap((ask, i) => {
      const before: AskRecord | undefined = asks[i - 1];
      if (!before || before.answer!.seq! < ask.answer!.seq!) return [];
      const what = `${lane}: ${before.key} sent first got seq ${before.answer!.seq}, ${ask.key} sent later ${ask.answer!.seq}`;
      return [{ kind: 'order' as const, t: ask.answer!.t, what }];
    }),
  );
}

function newsOutOfOrder(run: RecordedRun): Violation[] {
  const news = run.sightings.filter(({ via, isNew }) => via === 'live' && isNew);
  return [...groupBy(news, ({ d, n, c }) => `${d} ${n} ${c}`)].flatMap(([lane, sightings]) =>
    backwards(lane, sightings),
  );
}

function backwards(lane: string, sightings: readonly SightingRecord[]): Violation[] {
  const seen = new Set<string>();
  let last = 0;
  return sightings.flatMap(({ id, seq, t }) => {
    const isRepeat = seen.has(id);
    const isBehind = !isRepeat && seq < last;
    seen.add(id);
    const what = `${lane}: seq ${seq} came as news after ${last}`;
    last = Math.max(last, seq);
    return isBehind ? [{ kind: 'order' as const, t, what }] : [];
  });
}

/**
 * When something new comes, the device has been shown everything of others before it, down to the
 * first that came on this connection; but for what was deleted.
 */
function newsWithHoles(run: RecordedRun): Violation[] {
  const shown = new Set<string>();
  const reached = new Map<string, number>();
  return run.sightings.flatMap(({ d, n, c, id, seq, via, isNew, t }) => {
    shown.add(`${d} ${id}`);
    if (via !== 'live' || !isNew) return [];
    const lane = `${d} ${n} ${c}`;
    const last = reached.get(lane) ?? seq;
    reached.set(lane, Math.max(last, seq));
    const missing = (run.storedByConversation.get(c) ?? [])
      .slice(last, Math.max(last, seq - 1))
      .filter((one) => one.sender !== run.users.get(d) && one.text !== null && !shown.has(`${d} ${one.id}`));
    const what = `${lane}: seq ${seq} came before ${missing.map((one) => one.seq).join(', ')}`;
    return missing.length > 0 ? [{ kind: 'order' as const, t, what }] : [];
  });
}
