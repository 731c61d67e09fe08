import { messageVisibleTo } from '../conversations/index.js';

/** A place among found messages: newest first, ties by conversation and seq. */
export interface SearchKey {
  createdAtMs: number;
  conversationId: string;
  seq: number;
}

/** Messages `m` the participant `p` may see. */
export const visible = `m.deleted_at IS NULL AND ${messageVisibleTo('m', 'p')}`;

// A query without a word that must occur ("", "-x") has no query tree ('' or 'T'): it would find
// everything.
export const hasWords = `querytree(websearch_to_tsquery('simple', $2)) NOT IN ('', 'T')`;

/** Whether message `m` comes after a key, newest first; the arguments are placeholders. */
export function isBehind(createdAtMs: string, conversationId: string, seq: string): string {
  return `(${createdAtMs}::bigint IS NULL OR (m.created_at, m.conversation_id, m.seq)
            < (timestamptz 'epoch' + ${createdAtMs} * interval '1 millisecond', ${conversationId}::uuid, ${seq}::bigint))`;
}

/** Values for {@link isBehind}. */
export function keyValues(after: SearchKey | null): unknown[] {
  return [after?.createdAtMs ?? null, after?.conversationId ?? null, after?.seq ?? null];
}
