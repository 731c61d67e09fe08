import { graceMs, presenceBoundMs, slackMs } from '../presence-bounds.js';
import type { Violation } from '../violation.js';
import { type ConnectionRecord, type Numbered, type RecordedRun } from './recorded-run.js';

/** After this a new connection counts, even if Redis was emptied meanwhile (guarantee 8: 12 s). */
const absenceMs = 12_000 + slackMs;
/** How long an event may have been under way: the observer's link lives no longer unanswered. */
const eventDelayMs = 30_000;

/**
 * In the quiet at the end, when every bound has passed, answers are right: connected users are
 * online, the others offline. A user who stays connected is never reported as offline. The
 * departure of a user at the end causes exactly one event.
 */
export function checkPresence(run: RecordedRun): Violation[] {
  return [...wrongAnswers(run), ...falseAbsences(run), ...falseDepartures(run), ...farewells(run)];
}

function settledTOf(run: RecordedRun): number {
  return run.quietT + presenceBoundMs(run.of('run')[0]?.presenceTtlMs ?? 0);
}

function wrongAnswers(run: RecordedRun): Violation[] {
  const settledT = settledTOf(run);
  return run.of('presence').flatMap(({ d, a, user, status, t }) => {
    const askedT = run.asks.get(a)!.t;
    if (askedT < settledT) return [];
    const due = dueStatus(run.connectionsOf(user), askedT, t, settledT);
    if (due === null || due === status) return [];
    return [{ kind: 'presence' as const, t, what: `${d} was told that ${user} is ${status}, not ${due}` }];
  });
}

/** @returns null where it changed too shortly before to be known */
function dueStatus(
  connections: readonly ConnectionRecord[],
  from: number,
  to: number,
  settledT: number,
): string | null {
  const isThere = connections.some(({ openedT, closedT }) => openedT < from - slackMs && closedT > to);
  if (isThere) return 'online';
  const lastT = Math.max(0, ...connections.map(({ closedT }) => closedT));
  // All links are sound by now, so each end of one is clean.
  const boundT = Math.max(settledT, lastT + graceMs + slackMs);
  const wasThere = connections.some(({ openedT, closedT }) => openedT < to && closedT > from - 1);
  return !wasThere && from > boundT ? 'offline' : null;
}

/** While faults last, presence may be unknown, but not wrong. */
function falseAbsences(run: RecordedRun): Violation[] {
  return run.of('presence').flatMap(({ d, a, user, status, t }) => {
    if (status !== 'offline') return [];
    const askedT = run.asks.get(a)!.t;
    const was = run
      .connectionsOf(user)
      .find(({ openedT, closedT, aliveT }) => openedT < askedT - absenceMs && closedT > t && aliveT >= t);
    const what = `${d} was told that ${user} is offline, whose ${was?.d} was there`;
    return was ? [{ kind: 'presence' as const, t, what }] : [];
  });
}

function falseDepartures(run: RecordedRun): Violation[] {
  return run.of('presence-event').flatMap(({ d, user, status, t }) => {
    if (status !== 'offline') return [];
    const was = run.connectionsOf(user).find((one) => isThereAround(one, t));
    return was
      ? [{ kind: 'presence' as const, t, what: `${d} heard that ${user} went, whose ${was.d} was there` }]
      : [];
  });
}

/** Connected since before the event can have been on its way, and alive after it. */
function isThereAround(connection: ConnectionRecord, t: number): boolean {
  return connection.openedT < t - eventDelayMs && connection.closedT > t && connection.aliveT >= t;
}

/**
 * Each connected contact receives one event per user who leaves in the quiet, when everything is
 * settled.
 */
function farewells(run: RecordedRun): Violation[] {
  const settledT = settledTOf(run);
  const leavers = new Map<string, number>();
  for (const { d, t } of run.of('leave')) if (t >= settledT) leavers.set(run.users.get(d)!, t);
  const events = run.of('presence-event');
  return [...leavers].flatMap(([user, t]) =>
    [...run.connections.values()]
      .filter((one) => knows(run, one.user, user) && one.openedT < t - slackMs && one.closedT > t + graceMs + slackMs)
      .flatMap((observer) => {
        const heard = events.filter((one) => isFarewell(one, observer, user, t)).length;
        return heard === 1
          ? []
          : [{ kind: 'presence' as const, t, what: `${observer.d} heard ${heard} times that ${user} went` }];
      }),
  );
}

function isFarewell(event: Numbered<'presence-event'>, { d, n }: ConnectionRecord, user: string, t: number): boolean {
  return event.d === d && event.n === n && event.user === user && event.status === 'offline' && event.t >= t;
}

/** Two who share a direct conversation are each other's contacts. */
function knows(run: RecordedRun, one: string, other: string): boolean {
  if (one === other) return false;
  return [...run.participants.values()].some(
    (users) => users.length === 2 && users.includes(one) && users.includes(other),
  );
}
