import type { ErrorBody, ErrorDetail } from '../common/chat-error.js';
import type { BuiltInErrorCode } from '../common/error-codes.js';

/**
 * The errors of this side of the wire.
 *
 * - `TIMEOUT`: no answer within `requestTimeoutMs`; the outcome is unknown.
 * - `DISCONNECTED`: the connection ended before the answer; the outcome is unknown.
 * - `NOT_CONNECTED`: nothing was sent.
 * - `CLOSED`: the client was closed; what is in the outbox stays in its storage.
 * - `OUTBOX_FULL`, `CANCELLED`: the message was not sent, and will not be.
 * - `STORAGE_FAILED`: the client goes on with what it has in memory.
 * - `HANDLER_FAILED`: a handler of the app threw; what it was handed comes again on the next
 *   connection.
 * - `TOKEN_UNAVAILABLE`: the `token` callback failed; it is asked again.
 * - `WRONG_USER`: the token is another user's than the one whose unsent messages and position are
 *   stored.
 */
export type ClientErrorCode =
  | 'TIMEOUT'
  | 'DISCONNECTED'
  | 'NOT_CONNECTED'
  | 'CLOSED'
  | 'OUTBOX_FULL'
  | 'CANCELLED'
  | 'STORAGE_FAILED'
  | 'HANDLER_FAILED'
  | 'TOKEN_UNAVAILABLE'
  | 'WRONG_USER';

/**
 * A code of the contract (docs/errors.md), of this client, or one an extension of the server
 * registered.
 */
export type ChatErrorCode = BuiltInErrorCode | ClientErrorCode | (string & {});

const ownErrors: Record<ClientErrorCode, { message: string; retryable: boolean }> = {
  TIMEOUT: { message: 'No answer in time; the outcome is unknown', retryable: true },
  DISCONNECTED: { message: 'The connection ended before the answer; the outcome is unknown', retryable: true },
  NOT_CONNECTED: { message: 'There is no connection', retryable: true },
  CLOSED: { message: 'The client was closed', retryable: false },
  OUTBOX_FULL: { message: 'Too many messages wait to be sent', retryable: true },
  CANCELLED: { message: 'The message was taken back before it was sent', retryable: false },
  STORAGE_FAILED: { message: 'The storage failed; what it holds is behind', retryable: true },
  HANDLER_FAILED: { message: 'A handler of the app failed', retryable: true },
  TOKEN_UNAVAILABLE: { message: 'The token callback failed', retryable: true },
  WRONG_USER: { message: 'The token is of another user than what is stored', retryable: false },
};

type ChatErrorFields = Omit<ErrorBody, 'requestId'> & { requestId?: string };

/**
 * The one error this client rejects with: the server's error object, or one of its own.
 *
 * @since 0.1.0
 */
export class ChatError extends Error {
  readonly code: ChatErrorCode;
  /** Whether the same request may succeed later; `send` retries such ones by itself. */
  readonly retryable: boolean;
  /** Milliseconds the server asks to wait. */
  readonly retryAfterMs?: number;
  /** Faults of the payload, by path (`content.text`). */
  readonly details?: readonly ErrorDetail[];
  /** The event that failed. */
  readonly event?: string;
  /** Under which the server's log knows the failure. */
  readonly requestId?: string;

  constructor(fields: ChatErrorFields, cause?: unknown) {
    super(fields.message, cause === undefined ? undefined : { cause });
    this.name = 'ChatError';
    this.code = fields.code;
    this.retryable = fields.retryable;
    if (fields.retryAfterMs !== undefined) this.retryAfterMs = fields.retryAfterMs;
    if (fields.details !== undefined) this.details = fields.details;
    if (fields.event !== undefined) this.event = fields.event;
    if (fields.requestId !== undefined) this.requestId = fields.requestId;
  }

  /** An error of this side. */
  static own(code: ClientErrorCode, { event, cause }: { event?: string; cause?: unknown } = {}): ChatError {
    return new ChatError({ code, ...ownErrors[code], ...(event === undefined ? {} : { event }) }, cause);
  }

  /** The server's error object; what is none (a transport's error) becomes `NOT_CONNECTED`. */
  static from(body: unknown): ChatError {
    const { code } = (body ?? {}) as Partial<ErrorBody>;
    return typeof code === 'string'
      ? new ChatError(body as ErrorBody)
      : ChatError.own('NOT_CONNECTED', { cause: body });
  }
}

const signInCodes: ReadonlySet<string> = new Set(['UNAUTHENTICATED', 'TOKEN_EXPIRED', 'TOKEN_REVOKED']);

/** Whether another token may help. */
export function isSignInError({ code }: ChatError): boolean {
  return signInCodes.has(code);
}
