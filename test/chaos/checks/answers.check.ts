import type { Violation } from '../violation.js';
import type { AskRecord, ConnectionRecord, RecordedRun } from './recorded-run.js';

/** Longer than a link that answers nothing may live (25 s), and than any node stood still. */
const openBoundMs = 45_000;
/** The contract's 3 s, and time for a busy machine. */
const answerBoundMs = 6_000;

/** An answer that is no fault of the system's state is a bug. */
const alwaysAllowed = ['UNAVAILABLE', 'RATE_LIMITED'];
const allowed: Record<string, string[]> = {
  'edit-message': ['WINDOW_EXPIRED'],
  'delete-message': ['WINDOW_EXPIRED'],
  // On a message deleted meanwhile.
  'add-reaction': ['CONFLICT'],
  'remove-reaction': ['CONFLICT'],
};

/**
 * Each event is answered while its connection is alive both ways: none stays open over an
 * unanswered one, and none answers later events only.
 */
export function checkAnswers(run: RecordedRun): Violation[] {
  return [...run.connections.values()].flatMap((connection) =>
    connection.asks
      .filter((ask) => ask.answer === null && isForgotten(ask, connection, run.endT))
      .map(({ d, n, a, event, t }) => ({
        kind: 'unanswered' as const,
        t,
        what: `${d} connection ${n}: ${event}, ask ${a}`,
      })),
  );
}

function isForgotten({ t }: AskRecord, { asks, closedT }: ConnectionRecord, endT: number): boolean {
  const overT = Math.min(closedT, endT);
  if (overT > t + openBoundMs) return true;
  return asks.some((later) => later.answer && later.t >= t + answerBoundMs && later.answer.t + answerBoundMs <= overT);
}

/** Nothing is refused but for want of a service, or for what the event itself met. */
export function checkRefusals(run: RecordedRun): Violation[] {
  const answers = [...run.asks.values()].flatMap(({ d, event, a, answer }) => {
    if (!answer || answer.ok || isAllowed(event, answer.code!)) return [];
    return [{ kind: 'refused' as const, t: answer.t, what: `${d} ${event}, ask ${a}: ${answer.code}` }];
  });
  const handshakes = run
    .of('refused')
    .filter(({ code }) => !alwaysAllowed.includes(code))
    .map(({ d, code, t }) => ({ kind: 'refused' as const, t, what: `${d} connecting: ${code}` }));
  return [...answers, ...handshakes];
}

function isAllowed(event: string, code: string): boolean {
  return alwaysAllowed.includes(code) || (allowed[event] ?? []).includes(code);
}
