import { hash } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import {
  decodeProtectedHeader,
  errors,
  jwtVerify,
  type JWTHeaderParameters,
  type JWTPayload,
  type JWTVerifyOptions,
} from 'jose';
import { LRUCache } from 'lru-cache';
import { ChatError, Clock } from '../common/index.js';
import { Settings } from '../config/index.js';
import { Authenticator } from './authenticator.js';
import { jwtKeys, type JwtKeys } from './jwt-keys.js';
import { isUserId, type Principal } from './principal.js';

/**
 * A token is not verified again within this; a key taken out of the key set stops working that much
 * later at most.
 */
const verifiedForMs = 60_000;
const maxVerifiedTokens = 10_000;
const maxDateMs = 8_640_000_000_000_000;

/**
 * Verifies JWTs: signature by a pinned algorithm, `exp` and `sub` required, `iss` and `aud` where
 * settings name them, a `typ` of `JWT` or `at+jwt` where there is one, `nbf`, no unknown `crit`,
 * `iat` not ahead of the clock; all with `JWT_LEEWAY_SECONDS` of leeway.
 *
 * The last {@link maxVerifiedTokens} tokens are remembered by their hash, so that a REST client's
 * next call costs a look-up. With a key set, each usable key that fits the token's algorithm and
 * `kid` is tried.
 */
@Injectable()
export class JwtAuthenticator extends Authenticator {
  private readonly keys: JwtKeys;
  private readonly verified: LRUCache<string, Principal>;

  constructor(
    private readonly settings: Settings,
    private readonly clock: Clock,
  ) {
    super();
    this.keys = jwtKeys(settings);
    this.verified = new LRUCache({ max: maxVerifiedTokens, ttl: verifiedForMs, ttlResolution: 0, perf: clock });
  }

  /** @throws ChatError UNAUTHENTICATED | TOKEN_EXPIRED | UNAVAILABLE (the key set is away) */
  override async authenticate(token: string): Promise<Principal> {
    const key = hash('sha256', token, 'base64');
    const known = this.verified.get(key);
    if (known) return known;
    const principal = this.principalOf(await this.verify(token));
    this.verified.set(key, principal, { ttl: this.rememberForMs(principal) });
    return principal;
  }

  private async verify(token: string): Promise<JWTPayload> {
    try {
      const header = decodeProtectedHeader(token) as JWTHeaderParameters;
      // Before any key is looked up: a key of one kind never meets the algorithm of another.
      if (!this.keys.algorithms.includes(header.alg)) throw refused('the algorithm is not one of those configured');
      if (!isTokenType(header.typ)) throw refused('`typ` is neither JWT nor at+jwt');
      const claims = (await this.claimsBy(header, token)) ?? (await this.claimsByNewKeys(header, token));
      if (claims === null) throw refused('no key has signed it');
      return claims;
    } catch (error) {
      if (error instanceof ChatError) throw error;
      throw new ChatError(error instanceof errors.JWTExpired ? 'TOKEN_EXPIRED' : 'UNAUTHENTICATED', { cause: error });
    }
  }

  /**
   * @returns null when none of the keys has signed it. @throws JOSEError when one has, and the
   * claims are not good
   */
  private async claimsBy(header: JWTHeaderParameters, token: string): Promise<JWTPayload | null> {
    for (const key of await this.keys.known(header)) {
      try {
        return (await jwtVerify(token, key, this.options())).payload;
      } catch (error) {
        if (!(error instanceof errors.JWSSignatureVerificationFailed)) throw error;
      }
    }
    return null;
  }

  private async claimsByNewKeys(header: JWTHeaderParameters, token: string): Promise<JWTPayload | null> {
    return (await this.keys.renew(header)) ? this.claimsBy(header, token) : null;
  }

  private options(): JWTVerifyOptions {
    const { jwtIssuer, jwtAudience, jwtLeewaySeconds } = this.settings;
    return {
      algorithms: [...this.keys.algorithms],
      requiredClaims: ['exp', 'sub'],
      clockTolerance: jwtLeewaySeconds,
      currentDate: new Date(this.clock.now()),
      ...(jwtIssuer === undefined ? {} : { issuer: jwtIssuer }),
      ...(jwtAudience === undefined ? {} : { audience: jwtAudience }),
    };
  }

  private principalOf(claims: JWTPayload): Principal {
    const { sub, exp, iat } = claims;
    if (!isUserId(sub)) throw refused('`sub` must be 1 to 128 printable characters');
    const expiresAtMs = Number(exp) * 1_000;
    if (!(expiresAtMs <= maxDateMs)) throw refused('`exp` is not a time');
    const issuedAtMs = iat === undefined ? null : iat * 1_000;
    // Else a token could be dated so far ahead that no revocation ever covers it.
    if (issuedAtMs !== null && issuedAtMs > this.clock.now() + this.leewayMs) throw refused('`iat` is in the future');
    return Object.freeze({ userId: sub, scopes: scopesOf(claims), issuedAtMs, expiresAtMs });
  }

  private rememberForMs(principal: Principal): number {
    const leftMs = principal.expiresAtMs + this.leewayMs - this.clock.now();
    return Math.max(1, Math.min(verifiedForMs, Math.floor(leftMs)));
  }

  private get leewayMs(): number {
    return this.settings.jwtLeewaySeconds * 1_000;
  }
}

/**
 * Other kinds of tokens, such as those of a logout, are signed with the same keys (RFC 8725, 3.11).
 */
function isTokenType(typ: unknown): boolean {
  return typ === undefined || (typeof typ === 'string' && /^(at\+)?jwt$/i.test(typ));
}

function refused(reason: string): ChatError {
  return new ChatError('UNAUTHENTICATED', { cause: new Error(reason) });
}

function scopesOf({ scope, scopes }: JWTPayload): readonly string[] {
  const words = typeof scope === 'string' ? scope.split(/\s+/) : [];
  const listed = Array.isArray(scopes) ? scopes.filter((entry) => typeof entry === 'string') : [];
  return Object.freeze([...new Set([...words, ...listed])].filter((entry) => entry !== ''));
}
