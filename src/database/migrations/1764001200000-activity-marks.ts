import type { MigrationInterface, QueryRunner } from 'typeorm';
import { AppendPlan1764000800000 } from './1764000800000-append-plan.js';

/**
 * What a user's `sync` has to look at, without an index that every send would have to write.
 *
 * `user_activity.until_xid` lies above every transaction that changed the conversation or one of
 * its participants, for everyone who is a participant, or ceased to be one by such a change
 * (ADR-0006). A mark reaches ahead, so that most changes find one that covers them and write
 * nothing: `conversations.marked_until` is what all participants have at least.
 *
 * Triggers, not a call at each place: they hold for the processes of the version before, which run
 * beside those of this one, and for whoever repairs or fills tables by hand. The two functions that
 * take batches mark by themselves: messages because that is cheaper, receipts because they change
 * participants without the conversation's row. `ActivityBackfill` marks who takes part already.
 */
export class ActivityMarks1764001200000 implements MigrationInterface {
  name = 'ActivityMarks1764001200000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE "user_activity" (
        "conversation_id" uuid NOT NULL,
        "user_id" text NOT NULL,
        "until_xid" bigint NOT NULL,
        PRIMARY KEY ("conversation_id", "user_id")
      ) WITH (autovacuum_vacuum_scale_factor = 0.05)`);
    await runner.query(
      `CREATE INDEX "user_activity_until" ON "user_activity" ("user_id", "until_xid", "conversation_id")`,
    );
    // Not indexed: a conversation's updates stay within its page (HOT).
    await runner.query(`ALTER TABLE "conversations" ADD COLUMN "marked_until" bigint NOT NULL DEFAULT 0`);
    await this.createMark(runner);
    await this.watchConversations(runner);
    await this.markReceipts(runner);
    await this.markMessages(runner);
  }

  /**
   * Marks those of the conversations whose mark does not reach beyond the caller's transaction.
   *
   * Holds their rows, in order of id, as whoever changes them does; to be called before
   * participants are locked. A mark reaches to the next of the moments that lie 65,536 transactions
   * apart (in groups of more than 64, 1,024 for each participant), so at a thousand transactions a
   * second a conversation is marked once a minute, and a full group writes no more rows in the long
   * run than a small one. The hash spreads the moments: large groups are not marked all at once.
   * The width is policy; nothing else depends on it. Of the settings: see `append_messages`.
   */
  private async createMark(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE FUNCTION mark_activity(p_conversation_ids uuid[]) RETURNS void LANGUAGE plpgsql
      SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_hashjoin = off
      SET enable_mergejoin = off AS $$
      DECLARE
        v_xid bigint := current_xid();
        v_ids uuid[];
        v_untils bigint[];
      BEGIN
        SELECT array_agg(s.id), array_agg(v_xid + s.width - (v_xid + s.phase) % s.width) INTO v_ids, v_untils
        FROM (
          SELECT c.id, greatest(65536, 1024 * c.participant_count::bigint) AS width, uuid_hash(c.id) & 2147483647 AS phase
          FROM conversations c WHERE c.id = ANY (p_conversation_ids) AND c.marked_until <= v_xid
          ORDER BY c.id FOR NO KEY UPDATE) s;
        IF v_ids IS NULL THEN RETURN; END IF;
        -- A statement of its own: it sees who joined before the lock was got.
        WITH marked AS (
          UPDATE conversations c SET marked_until = n.until_xid
          FROM unnest(v_ids, v_untils) AS n (id, until_xid)
          WHERE c.id = n.id AND EXISTS (
            SELECT 1 FROM participants p WHERE p.conversation_id = c.id AND p.left_at IS NULL)
          RETURNING c.id, c.marked_until
        )
        INSERT INTO user_activity (conversation_id, user_id, until_xid)
        SELECT p.conversation_id, p.user_id, m.marked_until
        FROM marked m JOIN participants p ON p.conversation_id = m.id AND p.left_at IS NULL
        ORDER BY p.conversation_id, p.user_id
        ON CONFLICT (conversation_id, user_id) DO UPDATE SET until_xid = excluded.until_xid;
      END $$`);
  }

  /**
   * A new conversation is marked at the end of its transaction, when it has participants. A change
   * of membership raises `participants_version`: whoever it brought in, or put out, has the mark of
   * all others, also where that needs no renewal.
   */
  private async watchConversations(runner: QueryRunner): Promise<void> {
    // A data-only restore runs without a search path.
    await runner.query(`
      CREATE FUNCTION conversation_changed() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
      BEGIN
        PERFORM mark_activity(ARRAY[NEW.id]);
        RETURN NULL;
      END $$`);
    await runner.query(`
      CREATE CONSTRAINT TRIGGER "conversations_founded" AFTER INSERT ON "conversations"
        DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION conversation_changed()`);
    await runner.query(`
      CREATE TRIGGER "conversations_changed" AFTER UPDATE OF "changed_xid" ON "conversations" FOR EACH ROW
        WHEN (NEW.changed_xid >= NEW.marked_until) EXECUTE FUNCTION conversation_changed()`);
    await runner.query(`
      CREATE FUNCTION membership_changed() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
      BEGIN
        PERFORM mark_activity(ARRAY[NEW.id]);
        INSERT INTO user_activity AS a (conversation_id, user_id, until_xid)
        SELECT p.conversation_id, p.user_id, greatest(c.marked_until, NEW.changed_xid + 1)
        FROM participants p JOIN conversations c ON c.id = p.conversation_id
        WHERE p.conversation_id = NEW.id AND p.changed_xid = NEW.changed_xid
        ON CONFLICT (conversation_id, user_id) DO UPDATE SET until_xid = excluded.until_xid
          WHERE a.until_xid < excluded.until_xid;
        RETURN NULL;
      END $$`);
    await runner.query(`
      CREATE TRIGGER "conversations_members" AFTER UPDATE OF "participants_version" ON "conversations" FOR EACH ROW
        EXECUTE FUNCTION membership_changed()`);
  }

  /**
   * Receipts mark before they lock participants. As a rule there is nothing to mark, and they wait
   * for no send; a batch that moves nothing does not even take a transaction id. Who joins while
   * the batch looks counts as one whose cursors move.
   */
  private async markReceipts(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER FUNCTION advance_receipts RENAME TO advance_cursors');
    await runner.query(`
      CREATE FUNCTION advance_receipts(
        p_conversation_id uuid[], p_user_id text[], p_delivered_seq bigint[], p_delivered_rev bigint[],
        p_read_seq bigint[]
      ) RETURNS TABLE (
        ordinal bigint, outcome text, delivered_seq bigint, read_seq bigint, delivered_at timestamptz,
        read_at timestamptz, has_delivered boolean, has_read boolean
      ) LANGUAGE plpgsql AS $$
      #variable_conflict use_column
      DECLARE
        v_ids uuid[];
        v_marked bigint;
      BEGIN
        SELECT array_agg(t.conversation_id), min(c.marked_until) INTO v_ids, v_marked
        FROM unnest(p_conversation_id, p_user_id, p_delivered_seq, p_read_seq)
          AS t (conversation_id, user_id, delivered_seq, read_seq)
        JOIN conversations c ON c.id = t.conversation_id
        LEFT JOIN participants p ON p.conversation_id = t.conversation_id AND p.user_id = t.user_id
        WHERE p.user_id IS NULL OR greatest(t.delivered_seq, t.read_seq) > p.delivered_seq OR t.read_seq > p.read_seq;
        IF v_ids IS NOT NULL AND v_marked <= current_xid() THEN PERFORM mark_activity(v_ids); END IF;
        RETURN QUERY SELECT * FROM advance_cursors(p_conversation_id, p_user_id, p_delivered_seq, p_delivered_rev, p_read_seq);
      END $$`);
  }

  /**
   * As before (see `AppendPlan`), and marks a whole batch at once where the trigger would take one
   * conversation after the other. Whether it has to, the locks tell by the way.
   */
  private async markMessages(runner: QueryRunner): Promise<void> {
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

  async down(runner: QueryRunner): Promise<void> {
    await new AppendPlan1764000800000().replaceAppend(runner);
    await runner.query('DROP FUNCTION advance_receipts');
    await runner.query('ALTER FUNCTION advance_cursors RENAME TO advance_receipts');
    for (const name of ['members', 'changed', 'founded']) {
      await runner.query(`DROP TRIGGER "conversations_${name}" ON "conversations"`);
    }
    await runner.query('DROP FUNCTION membership_changed');
    await runner.query('DROP FUNCTION conversation_changed');
    await runner.query('DROP FUNCTION mark_activity');
    await runner.query(`ALTER TABLE "conversations" DROP COLUMN "marked_until"`);
    await runner.query(`DROP TABLE "user_activity"`);
  }
}
