import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Appends a message that comes alone, as most do at rest, by small statements.
 *
 * What one message costs in `append_messages` is mostly to set up a plan of thirty nodes that is
 * made for many. The answers are the same (`message-append.repository.spec.ts` asks both), and so
 * are the locks, their order, the settings and the ways into each table (see `AppendPlan`,
 * `ActivityMarks`). `append_messages` stays as it is for batches, and for the processes of the
 * version before.
 *
 * Each statement's snapshot is taken after the conversation is locked, so it sees whatever earlier
 * holders committed.
 */
export class AppendOne1764001400000 implements MigrationInterface {
  name = 'AppendOne1764001400000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE FUNCTION append_message(
        p_node_id text, p_published bigint[], p_id uuid, p_conversation_id uuid, p_sender_id text,
        p_client_message_id text, p_fingerprint text, p_type text, p_content json, p_reply_to uuid, p_mentions text[],
        p_expires_in_seconds bigint,
        OUT outcome text, OUT first_id uuid, OUT seq bigint, OUT rev bigint, OUT participants_version bigint,
        OUT created_at timestamptz, OUT expires_at timestamptz, OUT outbox_id bigint
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
        v_first_fingerprint text;
      BEGIN
        DELETE FROM outbox o WHERE o.id = ANY (p_published);
        SELECT c.kind, c.last_seq + 1, c.last_rev + 1, c.participants_version, c.marked_until
        INTO v_kind, v_seq, v_rev, v_version, v_marked
        FROM conversations c WHERE c.id = p_conversation_id FOR NO KEY UPDATE;
        v_now := date_trunc('milliseconds', clock_timestamp());
        v_xid := pg_current_xact_id()::text::bigint;
        created_at := v_now;
        participants_version := v_version;
        IF v_marked <= v_xid THEN PERFORM mark_activity(ARRAY[p_conversation_id]); END IF;

        SELECT p.joined_seq INTO v_joined_seq FROM participants p
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
        INSERT INTO outbox (node_id, notices)
        VALUES (p_node_id, ('[{"kind":"messages","payload":{"conversationId":"' || p_conversation_id || '","version":'
                || v_version || ',"fromRev":' || v_rev || ',"toRev":' || v_rev || '}}]')::json)
        RETURNING id INTO outbox_id;
        outcome := 'appended';
        seq := v_seq;
        rev := v_rev;
        expires_at := v_expiry;
      END $$`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP FUNCTION append_message');
  }
}
