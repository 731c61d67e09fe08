/** SQL: which of a user's participations a part of a sync looks at, as `p`, in the order of `id`. */
export interface Walk {
  /** Ends the names of its statements. */
  name: string;
  from: string;
  id: string;
}

/** Everything there is, page by page; by `participants_user`. */
const wholeWalk: Walk = { name: 'whole', from: 'participants p', id: 'p.conversation_id' };

// `user_activity` names every conversation that may have changed, and some that did not (ADR-0006); what each part tells is
// for its own conditions to say. Look-ups are correlated and the list is made first: a plan for any `since` would read all of
// the user's conversations.
const activeWalk: Walk = {
  name: 'active',
  from: `(
    SELECT conversation_id FROM user_activity WHERE user_id = $1 AND until_xid > $2 AND conversation_id >= $3
    UNION
    SELECT conversation_id FROM hidden_messages WHERE user_id = $1 AND changed_xid >= $2 AND conversation_id >= $3
    ORDER BY conversation_id OFFSET 0
  ) a CROSS JOIN LATERAL (
    SELECT * FROM participants p WHERE p.conversation_id = a.conversation_id AND p.user_id = $1 OFFSET 0
  ) p`,
  id: 'a.conversation_id',
};

/** The walk of a sync; `sinceXid` 0: everything. Parameters: `$1` the user, `$2` `sinceXid`, `$3` the conversation to begin with. */
export function walkOf(sinceXid: number): Walk {
  return sinceXid === 0 ? wholeWalk : activeWalk;
}

/** SQL: the conversation of `p`, looked up as `c`. */
export const conversationOfWalk = `CROSS JOIN LATERAL (
    SELECT c.changed_xid FROM conversations c WHERE c.id = p.conversation_id OFFSET 0) c`;
