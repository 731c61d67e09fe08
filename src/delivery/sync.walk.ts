/**
 * SQL: which of a user's participations a part of a sync looks at, as `p`, in the order of `id`.
 */
export interface Walk {
  /** Ends the names of its statements. */
  name: string;
  from: string;
  id: string;
  /** Of its own parameter, to be put behind those of the statement. */
  values: unknown[];
}

/**
 * The walk of a part whose statement has the parameters `$1` (the user), `$2` (`sinceXid`), `$3`
 * (the conversation to begin with) and more.
 *
 * @param conversationIds null: everything there is, page by page, by `participants_user`
 * @param parameters of the statement without the walk's own
 */
export function walkOf(conversationIds: readonly string[] | null, parameters: number): Walk {
  if (!conversationIds) return { name: 'whole', from: 'participants p', id: 'p.conversation_id', values: [] };
  // Look-ups are correlated: a plan made for lists of any length would read all of the user's
  // conversations.
  const from = `(
      SELECT id AS conversation_id FROM unnest($${parameters + 1}::uuid[]) AS listed (id)
      WHERE id >= $3 ORDER BY id OFFSET 0
    ) a CROSS JOIN LATERAL (
      SELECT * FROM participants p WHERE p.conversation_id = a.conversation_id AND p.user_id = $1 OFFSET 0
    ) p`;
  return { name: 'listed', from, id: 'a.conversation_id', values: [conversationIds] };
}

/** SQL: the conversation of `p`, looked up as `c`. */
export const conversationOfWalk = `CROSS JOIN LATERAL (
    SELECT c.changed_xid FROM conversations c WHERE c.id = p.conversation_id OFFSET 0) c`;

/**
 * Up to as many conversations that changed are listed; above that reading all of them is no detour.
 */
export const maxListed = 1_000;

// `user_activity` names every conversation that may have changed, and some that did not (ADR-0006).
// Scalar look-ups: EXISTS may be answered by reading the whole table once.
export const changedSql = `
  SELECT a.conversation_id AS id
  FROM (
    SELECT conversation_id, false AS is_hiding FROM user_activity WHERE user_id = $1 AND until_xid > $2
    UNION ALL
    SELECT conversation_id, true FROM hidden_messages WHERE user_id = $1 AND changed_xid >= $2
    OFFSET 0
  ) a
  WHERE a.is_hiding
    OR (SELECT c.changed_xid FROM conversations c WHERE c.id = a.conversation_id) >= $2
    OR (SELECT true FROM participants o WHERE o.conversation_id = a.conversation_id
          AND (o.changed_xid >= $2 OR (o.user_id = $1 AND o.sight_xid >= $2)) LIMIT 1)
  LIMIT ${maxListed + 1}`;
