/** Fills the database that `plans.mjs` reads, with SQL. */
const messagesInOthers = 30;

/** A group as large as groups get, in which everybody has read in many small steps. */
export const group = { id: 'dddddddd-0000-7000-8000-000000000000', members: 1_024, messages: 2_000, step: 10 };

/** Conversation ids: the large ones count down from the top, the others up from one. */
export const largeId = (size) => `ffffffff-0000-7000-8000-${String(size).padStart(12, '0')}`;
/** The id of the message in the middle. */
export const middleId = (size) => `eeeeeeee-${String(Math.log10(size)).padStart(4, '0')}-7000-8000-000000000000`;

/**
 * Writes the conversations of `sizes` messages, as many short ones as asked for, and nine times as
 * many of others.
 */
export async function fill(client, { sizes, conversationCount }) {
  // Row by row the triggers would take as long as the rest; what they keep is written at the end,
  // as if all was long ago.
  await client.query('SET session_replication_role = replica');
  // Built at once afterwards: what counts here is reading.
  const [{ indexdef }] = (await client.query(`SELECT indexdef FROM pg_indexes WHERE indexname = 'messages_search'`))
    .rows;
  await client.query('DROP INDEX messages_search');
  await client.query(
    `INSERT INTO conversations (id, kind, last_seq, last_rev, participant_count, updated_at)
     SELECT ('00000000-0000-7000-8000-' || lpad(to_hex(i), 12, '0'))::uuid, 'group', $2, $2, 2,
            now() - i * interval '31 seconds'
     FROM generate_series(1, $1) i`,
    [conversationCount, messagesInOthers],
  );
  for (const size of sizes) {
    await client.query(
      `INSERT INTO conversations (id, kind, last_seq, last_rev, participant_count) VALUES ($1, 'group', $2, $2, 2)`,
      [largeId(size), size],
    );
  }
  await client.query(
    `INSERT INTO participants (conversation_id, user_id, role, delivered_seq, read_seq)
     SELECT id, u, 'member', last_seq, last_seq - 5 FROM conversations, unnest(ARRAY['busy', 'other']) u`,
  );
  // Other people's, so that a user's are a part of the tables.
  await client.query(
    `INSERT INTO conversations (id, kind, participant_count)
     SELECT ('10000000-0000-7000-8000-' || lpad(to_hex(i), 12, '0'))::uuid, 'group', 2 FROM generate_series(1, $1) i`,
    [conversationCount * 9],
  );
  await client.query(
    `INSERT INTO participants (conversation_id, user_id, role)
     SELECT id, u || substr(id::text, 35), 'member' FROM conversations, unnest(ARRAY['left', 'right']) u WHERE last_seq = 0`,
  );
  for (const size of sizes) {
    await client.query(
      `INSERT INTO receipt_log (conversation_id, user_id, kind, seq, at)
       SELECT $1, u, k, i, now() - ($2 - i) * interval '1 second'
       FROM unnest(ARRAY['busy', 'other']) u, unnest(ARRAY['delivered', 'read']) k, generate_series(10, $2::bigint - 5, 10) i`,
      [largeId(size), size],
    );
  }
  await client.query(
    `INSERT INTO messages (conversation_id, seq, rev, id, sender_id, type, content, created_at)
     SELECT ('00000000-0000-7000-8000-' || lpad(to_hex(j), 12, '0'))::uuid, i, i, gen_random_uuid(), 'other', 'text',
            json_build_object('text', 'the word' || ((i * j) % 5000) || ' and some more'), now() - (j * 31 - i) * interval '1 second'
     FROM generate_series(1, $1) j, generate_series(1, $2) i`,
    [conversationCount, messagesInOthers],
  );
  for (const size of sizes) {
    await client.query(
      `INSERT INTO messages (conversation_id, seq, rev, id, sender_id, type, content, created_at)
       SELECT $1, i, i, CASE WHEN i = $2 / 2 THEN $3::uuid ELSE gen_random_uuid() END, 'other', 'text',
              json_build_object('text', 'the word' || (i % 5000) || ' and some more' || CASE WHEN i = 7 THEN ' needle' ELSE '' END),
              now() - ($2 - i + 1) * interval '1 second'
       FROM generate_series(1, $2::bigint) i`,
      [largeId(size), size, middleId(size)],
    );
  }
  await fillGroup(client);
  await client.query(indexdef);
  await client.query(
    `INSERT INTO user_activity (conversation_id, user_id, until_xid) SELECT conversation_id, user_id, changed_xid + 1 FROM participants`,
  );
  await client.query('VACUUM ANALYZE');
}

async function fillGroup(client) {
  const { id, members, messages, step } = group;
  await client.query(
    `INSERT INTO conversations (id, kind, last_seq, last_rev, participant_count) VALUES ($1, 'group', $2, $2, $3)`,
    [id, messages, members],
  );
  await client.query(
    `INSERT INTO participants (conversation_id, user_id, role, delivered_seq, read_seq)
     SELECT $1, CASE i WHEN 1 THEN 'busy' ELSE 'member-' || i END, 'member', $2::bigint, $2::bigint FROM generate_series(1, $3) i`,
    [id, messages, members],
  );
  await client.query(
    `INSERT INTO receipt_log (conversation_id, user_id, kind, seq, at)
     SELECT $1, p.user_id, k, i, now() - ($2 - i) * interval '1 second'
     FROM participants p, unnest(ARRAY['delivered', 'read']) k, generate_series($3::bigint, $2::bigint, $3::bigint) i
     WHERE p.conversation_id = $1 AND p.user_id <> 'busy'`,
    [id, messages, step],
  );
  await client.query(
    `INSERT INTO messages (conversation_id, seq, rev, id, sender_id, type, content, created_at)
     SELECT $1, i, i, CASE WHEN i = $2 / 2 THEN $1::uuid ELSE gen_random_uuid() END, 'busy', 'text',
            json_build_object('text', 'the group'), now() - ($2 - i + 1) * interval '1 second'
     FROM generate_series(1, $2::bigint) i`,
    [id, messages],
  );
}
