import type { ErrorBody } from '../common/index.js';

/** What every client event is answered with (contract, section 2). */
export type Ack<T> = { ok: true; data: T } | { ok: false; error: ErrorBody };

/** Wraps the result of a verb for the wire. */
export function ok<T>(data: T): Ack<T> {
  return { ok: true, data };
}

/** Whether a handler's return value is an envelope already. */
export function isAck(value: unknown): value is Ack<unknown> {
  return typeof value === 'object' && value !== null && typeof (value as { ok?: unknown }).ok === 'boolean';
}
