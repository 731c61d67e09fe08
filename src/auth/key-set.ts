import { importJWK, type CryptoKey, type JWK } from 'jose';

/** A public key of a key set, and the one algorithm it is used for. */
export interface UsableKey {
  /** Undefined: the entry has none, so the key is tried for every token of its algorithm. */
  kid: string | undefined;
  algorithm: string;
  key: CryptoKey;
}

/** Why an entry of a key set is passed over. */
class UnusableEntry extends Error {}

/** The algorithms of key sets. No secret-key algorithm may ever join them (algorithm confusion). */
export const keySetAlgorithms: readonly string[] = ['RS256', 'ES256', 'EdDSA'];

// A token may be tried with each of them.
const maxKeys = 64;
const rsaBits = { least: 2_048, most: 8_192 };
const secretMembers = ['d', 'p', 'q', 'k'];

/**
 * Takes what can be used out of a key set's `keys`, and says of each other entry why it cannot.
 *
 * @param entries anything: the identity provider's word is not taken for it
 * @returns usable keys in the order of the set; faults such as `entry 2 (kid "a"): use is "enc"`
 */
export async function usableKeysOf(entries: readonly unknown[]): Promise<{ keys: UsableKey[]; faults: string[] }> {
  const keys: UsableKey[] = [];
  const faults: string[] = [];
  for (const [index, entry] of entries.entries()) {
    if (keys.length === maxKeys) {
      faults.push(`entries from ${index + 1} on: more than ${maxKeys} keys`);
      break;
    }
    try {
      keys.push(await usableKey(entry));
    } catch (error) {
      faults.push(`entry ${index + 1}${nameOf(entry)}: ${(error as Error).message}`);
    }
  }
  return { keys, faults };
}

async function usableKey(entry: unknown): Promise<UsableKey> {
  if (!isObject(entry)) throw new UnusableEntry('is no object');
  const jwk = entry as JWK;
  const algorithm = algorithmOf(jwk);
  const { alg, use, key_ops: operations } = jwk;
  if (alg !== undefined && alg !== algorithm && !(algorithm === 'EdDSA' && alg === 'Ed25519')) {
    throw new UnusableEntry(`alg is ${quoted(alg)}`);
  }
  if (use !== undefined && use !== 'sig') throw new UnusableEntry(`use is ${quoted(use)}`);
  if (operations !== undefined && !(Array.isArray(operations) && operations.includes('verify'))) {
    throw new UnusableEntry('key_ops lacks "verify"');
  }
  if (secretMembers.some((member) => member in jwk))
    throw new UnusableEntry('is a private key, which must not be published');
  const { kty, n, e, crv, x, y, kid } = jwk;
  const key = (await importJWK({ kty, n, e, crv, x, y }, algorithm)) as CryptoKey;
  assertStrength(key);
  return { kid: typeof kid === 'string' ? kid : undefined, algorithm, key };
}

function algorithmOf({ kty, crv }: JWK): string {
  if (kty === 'RSA') return 'RS256';
  if (kty === 'EC' && crv === 'P-256') return 'ES256';
  if (kty === 'OKP' && crv === 'Ed25519') return 'EdDSA';
  throw new UnusableEntry(`kty is ${quoted(kty)}${crv === undefined ? '' : ` and crv ${quoted(crv)}`}`);
}

function assertStrength({ algorithm }: CryptoKey): void {
  const bits = (algorithm as { modulusLength?: number }).modulusLength;
  if (bits === undefined || (bits >= rsaBits.least && bits <= rsaBits.most)) return;
  throw new UnusableEntry(`has ${bits} bits; RSA keys of ${rsaBits.least} to ${rsaBits.most} bits are used`);
}

function nameOf(entry: unknown): string {
  const kid = isObject(entry) ? entry['kid'] : undefined;
  return kid === undefined ? '' : ` (kid ${quoted(kid)})`;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function quoted(value: unknown): string {
  return (JSON.stringify(value) ?? 'missing').slice(0, 80);
}
