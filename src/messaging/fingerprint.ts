import { createHash } from 'node:crypto';

/**
 * A short hash of what a client asked to send, by which a retry is told from a reuse of its
 * `clientMessageId`.
 *
 * The order of properties does not count: a client of a language with unordered maps may change it
 * between tries. The hash is deleted with the message, so a deleted text cannot be guessed from it.
 *
 * @returns 128 bits of SHA-256, base64
 */
export function fingerprint(request: unknown): string {
  return createHash('sha256').update(canonicalJson(request)).digest('base64').slice(0, 22);
}

function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, part: unknown) => {
    if (typeof part !== 'object' || part === null || Array.isArray(part)) return part;
    return Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)));
  });
}
