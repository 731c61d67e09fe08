import { createRemoteJWKSet, errors, type JWTVerifyGetKey } from 'jose';
import { ChatError } from '../common/index.js';
import type { Settings } from '../config/index.js';

/**
 * The keys tokens are verified with, and the algorithms those keys are for. Never one list for both
 * kinds of key.
 */
export interface JwtKeys {
  readonly algorithms: readonly string[];
  readonly keyOf: JWTVerifyGetKey;
}

// Below the 3 s within which every call is answered (contract, section 2).
const fetchTimeoutMs = 2_000;
// A token with an unknown `kid` makes at most one fetch in this time, whoever sends how many.
const fetchCooldownMs = 5_000;
const keySetMaxAgeMs = 600_000;

/** HS256 with `JWT_SECRET`, or RS256, ES256 and EdDSA with the keys at `JWT_JWKS_URL`. */
export function jwtKeys(settings: Settings): JwtKeys {
  return settings.jwtJwksUrl === undefined ? secretKeys(settings.jwtSecret) : remoteKeys(new URL(settings.jwtJwksUrl));
}

function secretKeys(secret: string | undefined): JwtKeys {
  if (secret === undefined) throw new Error('JWT_SECRET: is missing');
  // Imported once: importing on every call costs more than the HMAC itself.
  const hmac = { name: 'HMAC', hash: 'SHA-256' };
  const key = crypto.subtle.importKey('raw', Buffer.from(secret), hmac, false, ['verify']);
  return { algorithms: ['HS256'], keyOf: () => key };
}

function remoteKeys(url: URL): JwtKeys {
  const keySet = createRemoteJWKSet(url, {
    timeoutDuration: fetchTimeoutMs,
    cooldownDuration: fetchCooldownMs,
    cacheMaxAge: keySetMaxAgeMs,
  });
  const keyOf: JWTVerifyGetKey = async (header, token) => {
    try {
      return await keySet(header, token);
    } catch (error) {
      throw isTokensFault(error) ? error : keySetIsAway(error);
    }
  };
  return { algorithms: ['RS256', 'ES256', 'EdDSA'], keyOf };
}

function isTokensFault(error: unknown): boolean {
  return error instanceof errors.JWKSNoMatchingKey || error instanceof errors.JWKSMultipleMatchingKeys;
}

function keySetIsAway(cause: unknown): ChatError {
  return new ChatError('UNAVAILABLE', { message: 'The key set is away', retryAfterMs: 1_000, cause });
}
