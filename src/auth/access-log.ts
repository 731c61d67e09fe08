import { Logger } from '@nestjs/common';
import { errors } from 'jose';
import type { ChatError } from '../common/index.js';

/** Who did something, from where, and on what; one line of the log. */
export interface AccessNote {
  /** Null while nobody knows: the token was missing or not genuine. */
  userId: string | null;
  address: string;
  /** As the client sees it. */
  requestId: string;
  /** A namespace, an event, a route, or a user. */
  target: string;
}

const logger = new Logger('Access');
// Not those that a flood or an outage causes: metrics count them.
const refusals = new Set<string>([
  'UNAUTHENTICATED',
  'TOKEN_EXPIRED',
  'TOKEN_REVOKED',
  'FORBIDDEN',
  'BANNED',
  'MUTED',
  'PAYLOAD_TOO_LARGE',
]);
const owners = new WeakMap<object, string>();

/** Logs that a token opened a session. */
export function logSignIn(note: AccessNote & { deviceId: string | null }): void {
  logger.log({ msg: 'signed in', ...note });
}

/** Logs that somebody was refused, with the reason the operator may know; other errors are none. */
export function logRefusal(error: Pick<ChatError, 'code' | 'cause'>, note: AccessNote): void {
  if (!refusals.has(error.code)) return;
  const { code, cause } = error;
  const reason = cause instanceof Error ? { reason: cause.message } : {};
  logger.log({ msg: 'refused', code, ...reason, ...note, userId: note.userId ?? ownerOfToken(error) });
}

/** Logs that tokens, sessions or devices were taken back. */
export function logRevocation(note: AccessNote & { before?: string }): void {
  logger.log({ msg: 'revoked', ...note });
}

/** Notes whose token was refused, where its signature is good. */
export function rememberOwner<E extends object>(error: E, userId: string): E {
  owners.set(error, userId);
  return error;
}

function ownerOfToken(error: { cause?: unknown }): string | null {
  const known = owners.get(error);
  if (known !== undefined) return known;
  // jose checks the signature first, and the claims after it.
  const { cause } = error;
  const isGenuine = cause instanceof errors.JWTExpired || cause instanceof errors.JWTClaimValidationFailed;
  return isGenuine && typeof cause.payload.sub === 'string' ? cause.payload.sub.slice(0, 128) : null;
}
