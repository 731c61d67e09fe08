import type { MigrationInterface, QueryRunner } from 'typeorm';
import { ActivityMarks1764001200000 } from './1764001200000-activity-marks.js';
import { AppendOne1764001400000 } from './1764001400000-append-one.js';

/**
 * A send accepts the others of its conversation (ADR-0027), in the statement that appends it.
 *
 * Both functions are as before (see `ActivityMarks` and `AppendOne`), and call `accept_senders` for
 * senders whose `accepted_seq` does not hold yet. Then the outbox row carries a notice of it, and
 * `has_accepted` is true. Participants are locked in the order of the primary key, after their
 * conversations, as receipts do.
 */
export class AppendAcceptance1764002610000 implements MigrationInterface {
  name = 'AppendAcceptance1764002610000';

  async up(runner: QueryRunner): Promise<void> {
    await this.createAcceptSenders(runner);
    await runner.query('DROP FUNCTION append_messages');
    await this.createAppendMessages(runner);
    await runner.query('DROP FUNCTION append_message');
    await this.createAppendMessage(runner);
  }

  /**
   * Has senders of one conversation accept the others, and answers what to add to the notices. A
   * function of its own, and strict: as a part of the statement for batches it would cost each batch
   * a fifteenth, though almost none has anything to do here. It runs with the settings of its callers.
   */
  private async createAcceptSenders(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE FUNCTION accept_senders(p_conversation_id uuid, p_sender_ids text[], p_seq bigint)
      RETURNS text LANGUAGE plpgsql STRICT AS $$
      DECLARE
        v_notices text;
      BEGIN
        WITH held AS MATERIALIZED (
          SELECT p.user_id FROM participants p
          WHERE p.conversation_id = p_conversation_id AND p.user_id = ANY (p_sender_ids)
          ORDER BY p.user_id FOR NO KEY UPDATE
        ), accepted AS (
          UPDATE participants p SET accepted_seq = p_seq
          FROM held h WHERE p.conversation_id = p_conversation_id AND p.user_id = h.user_id
          RETURNING p.user_id
        )
        SELECT string_agg(',{"kind":"acceptance","payload":{"conversationId":"' || p_conversation_id || '","userId":'
                          || to_json(a.user_id) || '}}', '') INTO v_notices FROM accepted a;
        RETURN v_notices;
      END $$`);
  }

  private async createAppendMessages(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE FUNCTION append_messages(
        p_node_id text, p_published bigint[], p_conversation_ids uuid[], p_batch json
      ) RETURNS TABLE (
        ordinal bigint, outcome text, message_id uuid, seq bigint, rev bigint, created_at timestamptz,
        expires_at timestamptz, participants_version bigint, outbox_id bigint, has_accepted boolean
      ) LANGUAGE plpgsql
      SET lock_timeout = '300ms' SET plan_cache_mode = force_generic_plan SET enable_seqscan = off
      SET enable_hashjoin = off SET enable_mergejoin = off SET enable_material = off AS $$
      DECLARE
        v_now timestamptz;
        v_xid bigint;
        v_marked bigint;
      BEGIN
        DELETE FROM outbox o WHERE o.id = ANY (p_published);
        SELECT min(s.marked_until) INTO v_marked FROM (
          SELECT c.marked_until FROM conversations c WHERE c.id = ANY (p_conversation_ids)
          ORDER BY c.id FOR NO KEY UPDATE) s;
        v_now := date_trunc('milliseconds', clock_timestamp());
        v_xid := current_xid();
        IF v_marked <= v_xid THEN PERFORM mark_activity(p_conversation_ids); END IF;
        RETURN QUERY
        WITH judged AS MATERIALIZED (
          SELECT v.*, CASE WHEN v.verdict = 'appended' THEN
              count(*) FILTER (WHERE v.verdict = 'appended') OVER (PARTITION BY v.conversation_id ORDER BY v.ordinal) END AS n
          FROM (
            SELECT i.*, c.last_seq, c.last_rev, c.participants_version, d.id AS first_id,
              (p.accepted_seq > c.rejoined_seq) IS NOT TRUE AS is_accepting,
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
          SELECT j.conversation_id, count(*) AS n, min(j.last_seq) AS last_seq, min(j.last_rev) AS last_rev,
                 min(j.participants_version) AS version,
                 array_agg(j.sender_id) FILTER (WHERE j.is_accepting) AS accepting
          FROM judged j WHERE j.n IS NOT NULL GROUP BY j.conversation_id
        ), bumped AS (
          UPDATE conversations c
          SET last_seq = c.last_seq + g.n, last_rev = c.last_rev + g.n, updated_at = v_now, changed_xid = v_xid
          FROM grown g WHERE c.id = g.conversation_id
        ), announced AS (
          INSERT INTO outbox (node_id, notices)
          SELECT p_node_id, ('[' || string_agg(
                   '{"kind":"messages","payload":{"conversationId":"' || g.conversation_id || '","version":' || g.version
                   || ',"fromRev":' || g.last_rev + 1 || ',"toRev":' || g.last_rev + g.n || '}}', ',')
                 || coalesce(string_agg(accept_senders(g.conversation_id, g.accepting, g.last_seq + g.n), ''), '') || ']')::json
          FROM (SELECT * FROM grown ORDER BY conversation_id OFFSET 0) g HAVING count(*) > 0
          RETURNING id
        )
        SELECT j.ordinal, j.verdict, coalesce(j.first_id, j.id), j.last_seq + j.n, j.last_rev + j.n, v_now, j.expiry,
               j.participants_version, (SELECT a.id FROM announced a), j.n IS NOT NULL AND j.is_accepting
        FROM judged j ORDER BY j.ordinal;
      END $$`);
  }

  private async createAppendMessage(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE FUNCTION append_message(
        p_node_id text, p_published bigint[], p_id uuid, p_conversation_id uuid, p_sender_id text,
        p_client_message_id text, p_fingerprint text, p_type text, p_content json, p_reply_to uuid, p_mentions text[],
        p_expires_in_seconds bigint,
        OUT outcome text, OUT first_id uuid, OUT seq bigint, OUT rev bigint, OUT participants_version bigint,
        OUT created_at timestamptz, OUT expires_at timestamptz, OUT outbox_id bigint, OUT has_accepted boolean
      ) LANGUAGE plpgsql
      SET lock_timeout = '300ms' SET plan_cache_mode = force_generic_plan SET enable_seqscan = off
      SET enable_hashjoin = off SET enable_mergejoin = off SET enable_material = off AS $$
      #variable_conflict use_column
      DECLARE
        v_now timestamptz;
        v_expiry timestamptz;
        v_xid bigint;
        v_marked bigint;
        v_kind text;
        v_seq bigint;
        v_rev bigint;
        v_version bigint;
        v_joined_seq bigint;
        v_rejoined_seq bigint;
        v_is_accepting boolean;
        v_acceptance text := '';
        v_first_fingerprint text;
      BEGIN
        DELETE FROM outbox o WHERE o.id = ANY (p_published);
        SELECT c.kind, c.last_seq + 1, c.last_rev + 1, c.participants_version, c.marked_until, c.rejoined_seq
        INTO v_kind, v_seq, v_rev, v_version, v_marked, v_rejoined_seq
        FROM conversations c WHERE c.id = p_conversation_id FOR NO KEY UPDATE;
        v_now := date_trunc('milliseconds', clock_timestamp());
        v_xid := pg_current_xact_id()::text::bigint;
        created_at := v_now;
        participants_version := v_version;
        has_accepted := false;
        IF v_marked <= v_xid THEN PERFORM mark_activity(ARRAY[p_conversation_id]); END IF;

        SELECT p.joined_seq, (p.accepted_seq > v_rejoined_seq) IS NOT TRUE INTO v_joined_seq, v_is_accepting FROM participants p
        WHERE p.conversation_id = p_conversation_id AND p.user_id = p_sender_id AND p.left_at IS NULL;
        IF v_joined_seq IS NULL THEN outcome := 'not-found'; RETURN; END IF;
        IF p_client_message_id IS NOT NULL THEN
          SELECT m.id, m.fingerprint INTO first_id, v_first_fingerprint FROM messages m
          WHERE m.sender_id = p_sender_id AND m.client_message_id = p_client_message_id
            AND m.conversation_id IS NOT DISTINCT FROM p_conversation_id LIMIT 1;
          IF first_id IS NOT NULL THEN
            outcome := CASE WHEN v_first_fingerprint IS NOT NULL AND v_first_fingerprint IS DISTINCT FROM p_fingerprint
              THEN 'conflict' ELSE 'duplicate' END;
            RETURN;
          END IF;
        END IF;
        IF v_kind = 'direct' AND EXISTS (
          SELECT 1 FROM participants o
          WHERE o.conversation_id = p_conversation_id AND o.user_id <> p_sender_id AND coalesce(
            (SELECT true FROM blocks b WHERE b.user_id = o.user_id AND b.blocked_id = p_sender_id),
            (SELECT true FROM blocks b WHERE b.user_id = p_sender_id AND b.blocked_id = o.user_id), false))
        THEN outcome := 'blocked'; RETURN; END IF;
        IF p_reply_to IS NOT NULL AND NOT EXISTS (
          SELECT 1 FROM messages r WHERE r.id = p_reply_to AND r.conversation_id IS NOT DISTINCT FROM p_conversation_id
            AND r.seq > v_joined_seq AND (r.expires_at IS NULL OR r.expires_at > v_now))
        THEN outcome := 'bad-reply'; RETURN; END IF;
        IF p_mentions <> '{}' AND EXISTS (
          SELECT 1 FROM unnest(p_mentions) AS m (user_id) WHERE NOT EXISTS (
            SELECT 1 FROM participants o
            WHERE o.conversation_id = p_conversation_id AND o.user_id = m.user_id AND o.left_at IS NULL))
        THEN outcome := 'bad-mention'; RETURN; END IF;

        v_expiry := v_now + make_interval(secs => p_expires_in_seconds);
        INSERT INTO messages (conversation_id, seq, rev, id, sender_id, client_message_id, fingerprint, type, content,
                              reply_to, mentions, created_at, expires_at, changed_xid)
        VALUES (p_conversation_id, v_seq, v_rev, p_id, p_sender_id, p_client_message_id, p_fingerprint, p_type, p_content,
                p_reply_to, p_mentions, v_now, v_expiry, v_xid);
        UPDATE conversations c SET last_seq = v_seq, last_rev = v_rev, updated_at = v_now, changed_xid = v_xid
        WHERE c.id = p_conversation_id;
        IF v_is_accepting THEN
          has_accepted := true;
          v_acceptance := accept_senders(p_conversation_id, ARRAY[p_sender_id], v_seq);
        END IF;
        INSERT INTO outbox (node_id, notices)
        VALUES (p_node_id, ('[{"kind":"messages","payload":{"conversationId":"' || p_conversation_id || '","version":'
                || v_version || ',"fromRev":' || v_rev || ',"toRev":' || v_rev || '}}' || v_acceptance || ']')::json)
        RETURNING id INTO outbox_id;
        outcome := 'appended';
        seq := v_seq;
        rev := v_rev;
        expires_at := v_expiry;
      END $$`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP FUNCTION append_messages');
    await new ActivityMarks1764001200000()['markMessages'](runner);
    await runner.query('DROP FUNCTION append_message');
    await new AppendOne1764001400000().up(runner);
    await runner.query('DROP FUNCTION accept_senders');
  }
}
