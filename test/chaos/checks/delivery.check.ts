import { groupBy } from '../group-by.js';
import { differences, View } from '../view.js';
import type { Violation } from '../violation.js';
import { type ConnectionRecord, type RecordedRun } from './recorded-run.js';

/**
 * A crash of the node costs 5 s (guarantee 4). An outage of Redis or a node costs its duration, up
 * to 10 s here, and the time to detect it. A busy machine costs the rest.
 */
const liveBoundMs = 25_000;
const maxSentencesADevice = 3;

/**
 * At the end every device shows what is stored (guarantee 5): each but those that were put away.
 */
export function checkCaughtUp(run: RecordedRun): Violation[] {
  const views = viewsOf(run);
  const away = awayAtEnd(run);
  return [...run.users].flatMap(([d, user]) => {
    if (away.has(d)) return [];
    const own = [...run.participants].filter(([, users]) => users.includes(user)).map(([c]) => c);
    const wrong = own.flatMap((c) =>
      differences(views.get(`${d} ${c}`) ?? new View(), run.storedByConversation.get(c) ?? []).map(
        (one) => `${c} ${one}`,
      ),
    );
    if (wrong.length === 0) return [];
    const more = wrong.length > maxSentencesADevice ? ` and ${wrong.length - maxSentencesADevice} more` : '';
    return [{ kind: 'behind', t: run.endT, what: `${d}: ${wrong.slice(0, maxSentencesADevice).join('; ')}${more}` }];
  });
}

function viewsOf(run: RecordedRun): Map<string, View> {
  const views = new Map<string, View>();
  const viewOf = (key: string) => views.get(key) ?? views.set(key, new View()).get(key)!;
  for (const entry of run.entries) {
    if (entry.k === 'saw') viewOf(`${entry.d} ${entry.c}`).see(entry);
    if (entry.k === 'saw-reaction') viewOf(`${entry.d} ${entry.c}`).seeReaction(entry);
  }
  return views;
}

function awayAtEnd(run: RecordedRun): Set<string> {
  const away = new Set<string>();
  for (const entry of run.entries) {
    if (entry.k === 'leave') away.add(entry.d);
    if (entry.k === 'return') away.delete(entry.d);
  }
  return away;
}

/**
 * A device that stays connected receives an acked message without reconnecting (guarantees 4, 10).
 */
export function checkLive(run: RecordedRun): Violation[] {
  const firstSeen = firstSightings(run);
  const byUser = groupBy([...run.connections.values()], ({ user }) => user);
  const sends = run.asksFor('send-message').filter(({ answer }) => answer?.ok && answer.duplicate === false);
  return sends.flatMap(({ d, n, c, answer }) => {
    const listening = (run.participants.get(c!) ?? []).flatMap((user) => byUser.get(user) ?? []);
    const t = answer!.t;
    return listening
      .filter((one) => !(one.d === d && one.n === n) && isThereFromTo(one, t, t + liveBoundMs))
      .filter((one) => (firstSeen.get(`${one.d} ${answer!.id}`) ?? Infinity) > t + liveBoundMs)
      .map((one) => ({
        kind: 'late' as const,
        t,
        what: `${one.d} on connection ${one.n} did not hear ${c} seq ${answer!.seq} within ${liveBoundMs} ms`,
      }));
  });
}

function isThereFromTo(connection: ConnectionRecord, from: number, to: number): boolean {
  return connection.openedT < from && connection.closedT > to && connection.aliveT >= to;
}

function firstSightings(run: RecordedRun): Map<string, number> {
  const first = new Map<string, number>();
  for (const { d, id, t } of run.sightings) if (!first.has(`${d} ${id}`)) first.set(`${d} ${id}`, t);
  return first;
}
