/**
 * Rows as the server would have written them, by SQL: a million sends would take longer than the
 * whole run.
 */
import { query } from '../harness/services.mjs';

const asId = (kind, n) => `${kind}0000000-0000-7000-8000-${String(n).padStart(12, '0')}`;

/** The id of the group with `size` messages. */
export const longId = (size) => asId('e', size);

/** The id of a user's n-th direct conversation, of those who have `count`. */
export const manyId = (user, count, n) => asId('d', (count * 10 + user) * 10_000 + n);

/** The id of the message in the middle. */
export const middleOf = (size) => asId('c', size);

/**
 * One group per size, with these members and as many messages. @returns how many messages were
 * written
 */
export async function fillLong({ databaseUrl }, sizes, members) {
  const indexes = await query(
    databaseUrl,
    `SELECT indexname, indexdef FROM pg_indexes WHERE indexname IN ('messages_search')`,
  );
  for (const { indexname } of indexes) await query(databaseUrl, `DROP INDEX ${indexname}`);
  for (const size of sizes) {
    await query(
      databaseUrl,
      `INSERT INTO conversations (id, kind, last_seq, last_rev, participant_count) VALUES ($1, 'group', $2, $2, $3)`,
      [longId(size), size, members.length],
    );
    await query(
      databaseUrl,
      `INSERT INTO participants (conversation_id, user_id, role, joined_at, delivered_seq, delivered_rev, read_seq)
       SELECT $1, u, 'member', now() - interval '1 year', $2, $2, $2 FROM unnest($3::text[]) u`,
      [longId(size), size, members],
    );
    await query(
      databaseUrl,
      `INSERT INTO messages (conversation_id, seq, rev, id, sender_id, type, content, created_at)
       SELECT $1, i, i, CASE WHEN i = $2 / 2 THEN $3::uuid ELSE uuidv7(($2 - i + 1) * interval '-10 seconds') END,
              ($4::text[])[1 + i % cardinality($4)], 'text',
              json_build_object('text', 'the word' || (i % 5000) || ' and some more'), now() - ($2 - i + 1) * interval '10 seconds'
       FROM generate_series(1, $2::bigint) i`,
      [longId(size), size, middleOf(size), members],
    );
  }
  // Built at once: what counts is the cost of the next message.
  for (const { indexdef } of indexes) await query(databaseUrl, indexdef);
  await query(databaseUrl, 'VACUUM ANALYZE');
  return sizes.reduce((sum, size) => sum + size, 0);
}

/**
 * Direct conversations, one message each, of users who have `count` of them. @returns how many
 * messages were written
 */
export async function fillMany({ databaseUrl }, users, counts) {
  for (const count of counts) {
    for (const [i, userId] of users(count).entries()) {
      await query(
        databaseUrl,
        `WITH made AS (
           INSERT INTO conversations (id, kind, last_seq, last_rev, participant_count, updated_at)
           SELECT ($2 || lpad(($3 + n)::text, 12, '0'))::uuid, 'direct', 1, 1, 2, now() - n * interval '1 minute'
           FROM generate_series(1, $4::int) n RETURNING id),
         joined AS (
           INSERT INTO participants (conversation_id, user_id, role, joined_at, delivered_seq, delivered_rev, read_seq)
           SELECT id, u, 'member', now() - interval '1 year', 1, 1, 1
           FROM made, LATERAL unnest(ARRAY[$1, $1 || '-peer-' || right(id::text, 12)]) u)
         INSERT INTO messages (conversation_id, seq, rev, id, sender_id, type, content, created_at)
         SELECT id, 1, 1, uuidv7(), $1, 'text', '{"text":"Hello!"}', now() - interval '1 day' FROM made`,
        [userId, manyId(0, 0, 0).slice(0, 24), (count * 10 + i) * 10_000, count],
      );
    }
  }
  // As if it were long ago: a mark reaches up to 65,536 transactions ahead of the last change
  // (ADR-0006).
  await query(databaseUrl, 'UPDATE conversations SET marked_until = changed_xid + 1');
  await query(
    databaseUrl,
    'UPDATE user_activity a SET until_xid = c.marked_until FROM conversations c WHERE c.id = a.conversation_id',
  );
  await query(databaseUrl, 'VACUUM ANALYZE');
  return counts.reduce((sum, count) => sum + count * users(count).length, 0);
}
