import { errorCodeEntry, type ErrorCode } from './error-codes.js';

/** One fault of a payload: its place (`content.text`), and the rule that it breaks. */
export interface ErrorDetail {
  path: string;
  message: string;
}

/**
 * A failure as the client receives it: on the socket (ack or `error`), and as problem details over
 * REST.
 */
export interface ErrorBody {
  code: string;
  message: string;
  event?: string;
  retryable: boolean;
  /** Milliseconds. */
  retryAfterMs?: number;
  details?: ErrorDetail[];
  requestId: string;
}

export interface ChatErrorOptions {
  /**
   * Shown to the client. Left out, the code's title is shown. Never a body, a token or another
   * user's data.
   */
  message?: string;
  details?: ErrorDetail[];
  /** Milliseconds. */
  retryAfterMs?: number;
  /** For the log only. */
  cause?: unknown;
}

/**
 * The one error type that reaches clients. Any other error thrown is answered `INTERNAL` and
 * logged.
 */
export class ChatError extends Error {
  readonly code: ErrorCode;
  readonly details?: ErrorDetail[];
  readonly retryAfterMs?: number;

  constructor(code: ErrorCode, options: ChatErrorOptions = {}) {
    super(options.message ?? errorCodeEntry(code).title, { cause: options.cause });
    this.name = 'ChatError';
    this.code = code;
    if (options.details) this.details = options.details;
    if (options.retryAfterMs !== undefined) this.retryAfterMs = options.retryAfterMs;
  }

  /** @param event the client event that failed; left out over REST */
  toBody(requestId: string, event?: string): ErrorBody {
    return {
      code: this.code,
      message: this.message,
      ...(event === undefined ? {} : { event }),
      retryable: errorCodeEntry(this.code).retryable,
      ...(this.retryAfterMs === undefined ? {} : { retryAfterMs: this.retryAfterMs }),
      ...(this.details === undefined ? {} : { details: this.details }),
      requestId,
    };
  }
}

/** A `VALIDATION_FAILED` with one detail, the most common refusal. */
export function invalid(path: string, message: string): ChatError {
  return new ChatError('VALIDATION_FAILED', { details: [{ path, message }] });
}
