import type { CryptoKey, JWTHeaderParameters } from 'jose';
import { secretsOf, SettingsError, type Settings } from '../config/index.js';
import { keySetAlgorithms } from './key-set.js';
import { RemoteKeySet } from './remote-key-set.js';

type Header = Pick<JWTHeaderParameters, 'alg' | 'kid'>;

/**
 * The keys tokens are verified with, and the algorithms those keys are for. Never one list for both
 * kinds of key.
 */
export interface JwtKeys {
  readonly algorithms: readonly string[];
  /** The keys that may have signed a token, to be tried in this order. */
  known(header: Header): Promise<readonly CryptoKey[]>;
  /**
   * Looks for keys that were not known, for a token that no known key has signed. @returns whether
   * there are any
   */
  renew(header: Header): Promise<boolean>;
}

/**
 * HS256 with each `JWT_SECRET`, or RS256, ES256 and EdDSA with the keys at `JWT_JWKS_URL`.
 *
 * @throws SettingsError when neither is given
 */
export function jwtKeys(settings: Settings): JwtKeys {
  return settings.jwtJwksUrl === undefined ? secretKeys(secretsOf(settings)) : remoteKeys(new URL(settings.jwtJwksUrl));
}

function secretKeys(secrets: readonly string[]): JwtKeys {
  if (secrets.length === 0) throw new SettingsError(['JWT_SECRET: is required (or JWT_JWKS_URL)']);
  // Imported once: importing on every call costs more than the HMAC itself.
  const hmac = { name: 'HMAC', hash: 'SHA-256' };
  const keys = Promise.all(
    secrets.map((secret) => crypto.subtle.importKey('raw', Buffer.from(secret), hmac, false, ['verify'])),
  );
  return { algorithms: ['HS256'], known: () => keys, renew: async () => false };
}

function remoteKeys(url: URL): JwtKeys {
  const keySet = new RemoteKeySet(url);
  return {
    algorithms: keySetAlgorithms,
    known: async ({ alg, kid }) => (await keySet.known(alg, kid)).map(({ key }) => key),
    renew: ({ kid }) => keySet.renew(kid),
  };
}
