/**
 * Who a verified token speaks for. Frozen: a renewed token makes a new one.
 *
 * `expiresAtMs` lies within what a `Date` can hold, but may be further away than a timer can (2^31
 * ms).
 */
export interface Principal {
  /** The token's `sub`; see {@link isUserId}. */
  readonly userId: string;
  /** From the claims `scope` (words) and `scopes` (array); none: empty. */
  readonly scopes: readonly string[];
  /**
   * `iat`, unix ms; null when the token does not say. A revocation covers every token that does not
   * say.
   */
  readonly issuedAtMs: number | null;
  /** `exp`, unix ms, without leeway. */
  readonly expiresAtMs: number;
  /**
   * SHA-256 of the token, in base64. `SignIn` sets it; an `Authenticator` leaves it out. A user who
   * ends all other sessions keeps the one with this token.
   */
  readonly tokenHash?: string;
}

/**
 * What a user id is: 1 to 128 printable characters (code points), so no control or invisible
 * formatting characters, no line separators and no lone surrogates (contract, section 1).
 */
export const userIdPattern = /^[^\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]{1,128}$/u;

/** Whether a value may be a user id; see {@link userIdPattern}. */
export function isUserId(value: unknown): value is string {
  return typeof value === 'string' && userIdPattern.test(value);
}
