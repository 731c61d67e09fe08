/**
 * The marks `sync` looks by (ADR-0006): what must hold of them at any time, and how to make them
 * wear out sooner.
 */
import type pg from 'pg';

type Queryable = Pick<pg.Client, 'query'>;

/**
 * Participants whose mark does not lie above a change that they must receive. There must never be
 * any.
 */
export async function unmarked(sql: Queryable): Promise<unknown[]> {
  const { rows } = await sql.query(
    `SELECT p.conversation_id, p.user_id, a.until_xid, c.marked_until, n.changed_xid
     FROM participants p JOIN conversations c ON c.id = p.conversation_id
     CROSS JOIN LATERAL (
       SELECT CASE WHEN p.left_at IS NULL THEN greatest(c.changed_xid, p.sight_xid, (
         SELECT max(o.changed_xid) FROM participants o WHERE o.conversation_id = c.id)) ELSE p.changed_xid END AS changed_xid
     ) n
     LEFT JOIN user_activity a ON a.conversation_id = p.conversation_id AND a.user_id = p.user_id
     WHERE a.until_xid IS NULL OR a.until_xid <= n.changed_xid
        OR (p.left_at IS NULL AND a.until_xid < c.marked_until)`,
  );
  return rows;
}

/**
 * Messages that devices miss and that the look-up at their next connection would not find. There
 * must never be any.
 */
export async function overlooked(sql: Queryable): Promise<unknown[]> {
  const { rows } = await sql.query(
    `SELECT v.user_id, v.device_id, v.backlog_above_xid, p.conversation_id, a.until_xid
     FROM devices v
     JOIN participants p ON p.user_id = v.user_id AND p.left_at IS NULL
     JOIN conversations c ON c.id = p.conversation_id
     LEFT JOIN device_cursors d
       ON d.user_id = v.user_id AND d.device_id = v.device_id AND d.conversation_id = p.conversation_id
     LEFT JOIN user_activity a ON a.conversation_id = p.conversation_id AND a.user_id = p.user_id
     WHERE v.backlog_of = left(database_epoch(), 16) AND c.last_rev > greatest(p.joined_rev, d.rev)
       AND coalesce(a.until_xid, 0) <= v.backlog_above_xid`,
  );
  return rows;
}

/** As if the last change of this conversation lay far back: the next one has to mark. */
export async function wearMarks(sql: Queryable, conversationId: string): Promise<void> {
  await sql.query('UPDATE conversations SET marked_until = 0 WHERE id = $1', [conversationId]);
  await sql.query('UPDATE user_activity SET until_xid = 0 WHERE conversation_id = $1', [conversationId]);
}

/**
 * From now on a mark reaches three or twenty transactions ahead at most, so that it wears out all
 * the time.
 */
export async function narrowMarks(sql: Queryable): Promise<void> {
  const { rows } = await sql.query(`SELECT pg_get_functiondef('mark_activity'::regproc) AS text`);
  const narrow = (rows[0].text as string).replace('greatest(65536, 1024 * ', 'greatest(3, 20 * (v_xid % 2) + 0 * ');
  if (narrow === rows[0].text) throw new Error('mark_activity does not look as expected');
  await sql.query(narrow);
}
