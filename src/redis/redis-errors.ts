import { ChatError } from '../common/index.js';

// Replies that say "not now": the command itself was right.
const awayReply =
  /(^|[:\s-])(READONLY|LOADING|OOM|CLUSTERDOWN|MASTERDOWN|MISCONF|NOREPLICAS|BUSY|TRYAGAIN|NOAUTH|WRONGPASS|UNBLOCKED) /;
// Messages of ioredis 5.11 when it has no connection, or loses it.
const awayMessage =
  /Connection is closed|isn't writeable|isn't ready|Command timed out|Command aborted|max retries per request|Cluster is (ended|disconnect)|Failed to refresh slots cache|None of startup nodes|Too many Cluster redirections|No (sharded )?subscriber for|max number of clients|Ready check failed|Cluster connection/i;
const awayErrnos = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
]);

// Replies of Redis to a user without the right, and for a command that was renamed, disabled or
// does not exist in this version.
const denial =
  /NOPERM|no permissions? to|unknown command|Unknown Redis command|can't run this command|ACL failure|can't access at least one of the keys/i;

/** Whether Redis denies a command, a key or a channel, or does not have the command. */
export function isRedisDenial(error: unknown): boolean {
  return error instanceof Error && denial.test(error.message);
}

/** Whether a command failed because no answer came in time. */
export function isRedisTimeout(error: unknown): boolean {
  return error instanceof Error && error.message === 'Command timed out';
}

/**
 * Whether an error says that Redis is away, starting, full or read-only, not that the command is
 * wrong.
 */
export function isRedisAway(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  return awayErrnos.has(code) || awayMessage.test(error.message) || awayReply.test(error.message);
}

/** @param cause for the log only */
export function redisUnavailable(cause?: unknown): ChatError {
  return new ChatError('UNAVAILABLE', { message: 'Redis is away', retryAfterMs: 1_000, cause });
}

/**
 * The error a caller gets: `ChatError UNAVAILABLE` when Redis is away or denies the command, else
 * the error itself.
 */
export function translateRedisError(error: unknown): unknown {
  return isRedisAway(error) || isRedisDenial(error) ? redisUnavailable(error) : error;
}
