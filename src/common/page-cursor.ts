import { invalid } from './chat-error.js';

/** One page of a REST list. `nextCursor` is null at the end. */
export interface Page<T> {
  items: T[];
  nextCursor: string | null;
}

/**
 * How many items a page holds.
 *
 * @param asked by the client; left out or null: as many as usual, or as are allowed
 * @throws ChatError VALIDATION_FAILED above `max`
 */
export function pageLimit(asked: number | null | undefined, usual: number, max: number): number {
  if (asked == null) return Math.min(usual, max);
  if (asked > max) throw invalid('limit', `at most ${max}`);
  return asked;
}

/** Makes the opaque cursor of a REST list from the sort key of the last item shown. */
export function encodeCursor(key: readonly (string | number)[]): string {
  return Buffer.from(JSON.stringify(key)).toString('base64url');
}

/**
 * Reads a cursor back.
 *
 * @param length how many parts the list's sort key has
 * @throws ChatError VALIDATION_FAILED for anything {@link encodeCursor} has not made for such a
 *   list
 */
export function decodeCursor(cursor: string, length: number): (string | number)[] {
  let key: unknown;
  try {
    key = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'));
  } catch {
    throw invalid('cursor', 'not a cursor of this list');
  }
  const isKey = Array.isArray(key) && key.length === length && key.every(isPart);
  if (!isKey) throw invalid('cursor', 'not a cursor of this list');
  return key as (string | number)[];
}

// eslint-disable-next-line no-control-regex
const harmful = /[\u0000]/;

/** What Postgres takes as a parameter. */
function isPart(part: unknown): boolean {
  if (typeof part === 'string') return !harmful.test(part) && part.isWellFormed();
  return typeof part === 'number' && Number.isFinite(part);
}
