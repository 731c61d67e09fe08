/**
 * The error codes of the wire contract (section 2), their HTTP status and whether a client may
 * simply try again.
 *
 * The one table: the socket filter, the problem-details filter and `docs/errors.md` are made from
 * it. An extension adds its own codes, with a prefix of its own, by {@link registerErrorCodes}.
 */
export interface ErrorCodeEntry {
  readonly status: number;
  readonly retryable: boolean;
  readonly title: string;
}

const builtIn = {
  UNAUTHENTICATED: { status: 401, retryable: false, title: 'No token, or one that does not verify' },
  TOKEN_EXPIRED: { status: 401, retryable: false, title: 'The token has expired' },
  TOKEN_REVOKED: { status: 401, retryable: false, title: 'The token has been revoked' },
  FORBIDDEN: { status: 403, retryable: false, title: 'The role or a policy does not allow this' },
  NOT_FOUND: { status: 404, retryable: false, title: 'No such thing, or not for this caller' },
  VALIDATION_FAILED: { status: 400, retryable: false, title: 'The payload is not valid' },
  PAYLOAD_TOO_LARGE: { status: 413, retryable: false, title: 'The payload is above its limit in bytes' },
  CONFLICT: { status: 409, retryable: false, title: 'The present state does not allow this' },
  WINDOW_EXPIRED: { status: 409, retryable: false, title: 'The time for this change has passed' },
  RATE_LIMITED: { status: 429, retryable: true, title: 'Too many requests' },
  UNAVAILABLE: { status: 503, retryable: true, title: 'A dependency is away; the outcome is unknown' },
  UNKNOWN_EVENT: { status: 404, retryable: false, title: 'No gateway handles this event' },
  INTERNAL: { status: 500, retryable: false, title: 'An error of the server' },
} as const satisfies Record<string, ErrorCodeEntry>;

export type BuiltInErrorCode = keyof typeof builtIn;

/** A code of the contract, or one an extension registered (`ACME_POLL_CLOSED`). */
export type ErrorCode = BuiltInErrorCode | `${Uppercase<string>}_${Uppercase<string>}`;

const table = new Map<string, ErrorCodeEntry>(Object.entries(builtIn));

/**
 * Adds an extension's error codes, so that both filters answer them with their status.
 *
 * @param codes by name; the name starts with the extension's prefix and an underscore
 * @throws Error when a code of the contract would be replaced
 */
export function registerErrorCodes(codes: Record<string, ErrorCodeEntry>): void {
  for (const [code, entry] of Object.entries(codes)) {
    if (code in builtIn) throw new Error(`${code} is a code of the contract and cannot be replaced`);
    table.set(code, entry);
  }
}

/** The table's row for a code; an unknown code counts as `INTERNAL`. */
export function errorCodeEntry(code: string): ErrorCodeEntry {
  return table.get(code) ?? builtIn.INTERNAL;
}

/** Every code known now, in table order. */
export function errorCodes(): [string, ErrorCodeEntry][] {
  return [...table];
}
