import type { MigrationInterface, QueryRunner } from 'typeorm';

const oldSettings = ['plan_cache_mode', 'enable_seqscan', 'enable_hashjoin', 'enable_mergejoin', 'enable_material'];

/**
 * Appending costs the same however young the tables' statistics are.
 *
 * A plan made while a table is empty is kept until autovacuum has looked at the table, a minute or
 * more. Postgres took whatever index came first, and with 10,000 messages an append read all of
 * them: 2 ms a message instead of 0.06. Now each table can be entered by one index only:
 * `conversation_id IS NOT DISTINCT FROM` keeps the others out, the look-ups are correlated, and
 * scans of whole tables are off.
 *
 * The search index may defer more of its work; `SearchIndexKeeper` does that between sends.
 */
export class AppendPlan1764000800000 implements MigrationInterface {
  name = 'AppendPlan1764000800000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP INDEX "messages_client_message_id"`);
    await runner.query(`
      CREATE UNIQUE INDEX "messages_client_message_id" ON "messages" ("sender_id", "client_message_id", "conversation_id")
        WHERE "client_message_id" IS NOT NULL`);
    await runner.query(`ALTER INDEX "messages_search" SET (gin_pending_list_limit = 16384)`);
    await this.replaceAppend(runner);
  }

  /**
   * As before (see the foundation), with each verdict found once and each message's place counted
   * along with it.
   */
  async replaceAppend(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE OR REPLACE FUNCTION append_messages(
        p_node_id text, p_published bigint[], p_conversation_ids uuid[], p_batch json
      ) RETURNS TABLE (
        ordinal bigint, outcome text, message_id uuid, seq bigint, rev bigint, created_at timestamptz,
        expires_at timestamptz, participants_version bigint, outbox_id bigint
      ) LANGUAGE plpgsql
      SET lock_timeout = '300ms' SET plan_cache_mode = force_generic_plan SET enable_seqscan = off
      SET enable_hashjoin = off SET enable_mergejoin = off SET enable_material = off AS $$
      DECLARE
        v_now timestamptz;
        v_xid bigint;
      BEGIN
        DELETE FROM outbox o WHERE o.id = ANY (p_published);
        PERFORM 1 FROM conversations c WHERE c.id = ANY (p_conversation_ids) ORDER BY c.id FOR NO KEY UPDATE;
        v_now := date_trunc('milliseconds', clock_timestamp());
        v_xid := current_xid();
        RETURN QUERY
        WITH judged AS MATERIALIZED (
          SELECT v.*, CASE WHEN v.verdict = 'appended' THEN
              count(*) FILTER (WHERE v.verdict = 'appended') OVER (PARTITION BY v.conversation_id ORDER BY v.ordinal) END AS n
          FROM (
            SELECT i.*, c.last_seq, c.last_rev, c.participants_version, d.id AS first_id,
              v_now + make_interval(secs => i.expires_in_seconds) AS expiry,
              CASE
                WHEN p.user_id IS NULL THEN 'not-found'
                WHEN d.id IS NOT NULL AND d.fingerprint IS DISTINCT FROM i.fingerprint AND d.fingerprint IS NOT NULL
                  THEN 'conflict'
                WHEN d.id IS NOT NULL THEN 'duplicate'
                WHEN c.kind = 'direct' AND EXISTS (
                  SELECT 1 FROM participants o
                  WHERE o.conversation_id = c.id AND o.user_id <> i.sender_id AND coalesce(
                    (SELECT true FROM blocks b WHERE b.user_id = o.user_id AND b.blocked_id = i.sender_id),
                    (SELECT true FROM blocks b WHERE b.user_id = i.sender_id AND b.blocked_id = o.user_id), false)) THEN 'blocked'
                WHEN i.reply_to IS NOT NULL AND NOT EXISTS (
                  SELECT 1 FROM messages r WHERE r.id = i.reply_to AND r.conversation_id IS NOT DISTINCT FROM c.id
                    AND r.seq > p.joined_seq AND (r.expires_at IS NULL OR r.expires_at > v_now)) THEN 'bad-reply'
                WHEN i.mentions <> '{}' AND EXISTS (
                  SELECT 1 FROM unnest(i.mentions) AS m (user_id) WHERE NOT EXISTS (
                    SELECT 1 FROM participants o WHERE o.conversation_id = c.id AND o.user_id = m.user_id
                      AND o.left_at IS NULL)) THEN 'bad-mention'
                ELSE 'appended'
              END AS verdict
            FROM ROWS FROM (json_to_recordset(p_batch) AS (
                id uuid, conversation_id uuid, sender_id text, client_message_id text, fingerprint text, type text,
                content json, reply_to uuid, mentions text[], expires_in_seconds bigint)) WITH ORDINALITY
                AS i (id, conversation_id, sender_id, client_message_id, fingerprint, type, content, reply_to, mentions,
                      expires_in_seconds, ordinal)
            LEFT JOIN conversations c ON c.id = i.conversation_id
            LEFT JOIN participants p
              ON p.conversation_id = i.conversation_id AND p.user_id = i.sender_id AND p.left_at IS NULL
            LEFT JOIN LATERAL (
              SELECT m.id, m.fingerprint FROM messages m
              WHERE m.sender_id = i.sender_id AND m.client_message_id = i.client_message_id
                AND m.conversation_id IS NOT DISTINCT FROM i.conversation_id LIMIT 1) d ON true
            OFFSET 0
          ) v
        ), inserted AS (
          INSERT INTO messages (conversation_id, seq, rev, id, sender_id, client_message_id, fingerprint, type, content,
                                reply_to, mentions, created_at, expires_at, changed_xid)
          SELECT j.conversation_id, j.last_seq + j.n, j.last_rev + j.n, j.id, j.sender_id, j.client_message_id,
                 j.fingerprint, j.type, j.content, j.reply_to, j.mentions, v_now, j.expiry, v_xid
          FROM judged j WHERE j.n IS NOT NULL
        ), grown AS (
          SELECT j.conversation_id, count(*) AS n, min(j.last_rev) AS last_rev, min(j.participants_version) AS version
          FROM judged j WHERE j.n IS NOT NULL GROUP BY j.conversation_id
        ), bumped AS (
          UPDATE conversations c
          SET last_seq = c.last_seq + g.n, last_rev = c.last_rev + g.n, updated_at = v_now, changed_xid = v_xid
          FROM grown g WHERE c.id = g.conversation_id
        ), announced AS (
          INSERT INTO outbox (node_id, notices)
          SELECT p_node_id, ('[' || string_agg(
                   '{"kind":"messages","payload":{"conversationId":"' || g.conversation_id || '","version":' || g.version
                   || ',"fromRev":' || g.last_rev + 1 || ',"toRev":' || g.last_rev + g.n || '}}', ',') || ']')::json
          FROM grown g HAVING count(*) > 0
          RETURNING id
        )
        SELECT j.ordinal, j.verdict, coalesce(j.first_id, j.id), j.last_seq + j.n, j.last_rev + j.n, v_now, j.expiry,
               j.participants_version, (SELECT a.id FROM announced a)
        FROM judged j ORDER BY j.ordinal;
      END $$`);
  }

  /**
   * The old statement works with the new function's text; what made its plans bad comes back with
   * the settings.
   */
  async down(runner: QueryRunner): Promise<void> {
    for (const name of oldSettings) await runner.query(`ALTER FUNCTION append_messages RESET ${name}`);
    await runner.query(`ALTER INDEX "messages_search" SET (gin_pending_list_limit = 512)`);
    await runner.query(`DROP INDEX "messages_client_message_id"`);
    await runner.query(`
      CREATE UNIQUE INDEX "messages_client_message_id" ON "messages" ("conversation_id", "sender_id", "client_message_id")
        WHERE "client_message_id" IS NOT NULL`);
  }
}
