import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * The log of receipts, and the function that advances a batch of cursors.
 *
 * One row per advance, not per message: the time at which a message was read is that of the first
 * advance to or beyond it. `kind` is `delivered` or `read`.
 */
export class Receipts1764000400000 implements MigrationInterface {
  name = 'Receipts1764000400000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE "receipt_log" (
        "conversation_id" uuid NOT NULL,
        "user_id" text NOT NULL,
        "kind" text NOT NULL,
        "seq" bigint NOT NULL,
        "at" timestamptz NOT NULL,
        PRIMARY KEY ("conversation_id", "user_id", "kind", "seq")
      )`);
    await this.createAdvance(runner);
  }

  /**
   * Advances cursors in one statement; marks of the same participant are merged, each gets its own
   * verdict.
   *
   * Locks the participants that are to move, in order of the primary key, and nothing else: sends,
   * which lock the conversation, do not wait for receipts. A mark that moves nothing locks and
   * writes nothing. The second statement's snapshot is taken after the locks, so it sees whatever
   * earlier holders committed. `last_seq` and `last_rev` need no lock, since they only grow. Read
   * implies delivered.
   */
  private async createAdvance(runner: QueryRunner): Promise<void> {
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
        v_now timestamptz;
      BEGIN
        PERFORM 1
        FROM (
          SELECT t.conversation_id, t.user_id, max(greatest(t.delivered_seq, t.read_seq)) AS delivered_seq,
                 max(t.delivered_rev) AS delivered_rev, max(t.read_seq) AS read_seq
          FROM unnest(p_conversation_id, p_user_id, p_delivered_seq, p_delivered_rev, p_read_seq)
            AS t (conversation_id, user_id, delivered_seq, delivered_rev, read_seq)
          GROUP BY t.conversation_id, t.user_id
        ) i
        JOIN participants p ON p.conversation_id = i.conversation_id AND p.user_id = i.user_id
        WHERE p.left_at IS NULL
          AND (i.delivered_seq > p.delivered_seq OR i.read_seq > p.read_seq OR i.delivered_rev > p.delivered_rev)
        ORDER BY p.conversation_id, p.user_id
        FOR NO KEY UPDATE OF p;
        v_now := date_trunc('milliseconds', clock_timestamp());
        RETURN QUERY
        WITH input AS (
          SELECT t.ordinal, t.conversation_id, t.user_id, greatest(t.delivered_seq, t.read_seq) AS delivered_seq,
                 t.delivered_rev, t.read_seq
          FROM unnest(p_conversation_id, p_user_id, p_delivered_seq, p_delivered_rev, p_read_seq)
            WITH ORDINALITY AS t (conversation_id, user_id, delivered_seq, delivered_rev, read_seq, ordinal)
        ), judged AS MATERIALIZED (
          SELECT i.*, p.delivered_seq AS old_delivered_seq, p.read_seq AS old_read_seq,
                 p.delivered_at AS old_delivered_at, p.read_at AS old_read_at,
            CASE
              WHEN p.user_id IS NULL THEN 'not-found'
              WHEN i.delivered_seq > c.last_seq THEN 'above-last-seq'
              WHEN i.delivered_rev > c.last_rev THEN 'above-last-rev'
              ELSE 'accepted'
            END AS verdict
          FROM input i
          LEFT JOIN conversations c ON c.id = i.conversation_id
          LEFT JOIN participants p
            ON p.conversation_id = i.conversation_id AND p.user_id = i.user_id AND p.left_at IS NULL
        ), wanted AS (
          SELECT j.conversation_id, j.user_id, max(j.delivered_seq) AS delivered_seq,
                 max(j.delivered_rev) AS delivered_rev, max(j.read_seq) AS read_seq,
                 min(j.old_delivered_seq) AS old_delivered_seq, min(j.old_read_seq) AS old_read_seq
          FROM judged j WHERE j.verdict = 'accepted' GROUP BY j.conversation_id, j.user_id
        ), advanced AS (
          UPDATE participants p
          SET delivered_seq = greatest(p.delivered_seq, w.delivered_seq),
              delivered_rev = greatest(p.delivered_rev, w.delivered_rev),
              read_seq = greatest(p.read_seq, w.read_seq),
              delivered_at = CASE WHEN w.delivered_seq > p.delivered_seq THEN v_now ELSE p.delivered_at END,
              read_at = CASE WHEN w.read_seq > p.read_seq THEN v_now ELSE p.read_at END,
              changed_xid = CASE WHEN w.delivered_seq > p.delivered_seq OR w.read_seq > p.read_seq THEN current_xid()
                                 ELSE p.changed_xid END
          FROM wanted w
          WHERE p.conversation_id = w.conversation_id AND p.user_id = w.user_id AND p.left_at IS NULL
            AND (w.delivered_seq > p.delivered_seq OR w.read_seq > p.read_seq OR w.delivered_rev > p.delivered_rev)
          RETURNING p.conversation_id, p.user_id, p.delivered_seq, p.read_seq, p.delivered_at, p.read_at,
                    p.delivered_seq > w.old_delivered_seq AS has_delivered, p.read_seq > w.old_read_seq AS has_read
        ), logged AS (
          INSERT INTO receipt_log (conversation_id, user_id, kind, seq, at)
          SELECT a.conversation_id, a.user_id, 'delivered', a.delivered_seq, v_now FROM advanced a WHERE a.has_delivered
          UNION ALL
          SELECT a.conversation_id, a.user_id, 'read', a.read_seq, v_now FROM advanced a WHERE a.has_read
          ON CONFLICT DO NOTHING
        )
        SELECT j.ordinal, j.verdict, coalesce(a.delivered_seq, j.old_delivered_seq),
               coalesce(a.read_seq, j.old_read_seq), coalesce(a.delivered_at, j.old_delivered_at),
               coalesce(a.read_at, j.old_read_at),
               coalesce(j.verdict = 'accepted' AND a.has_delivered AND j.ordinal = min(j.ordinal) FILTER (
                 WHERE j.verdict = 'accepted' AND j.delivered_seq = a.delivered_seq) OVER participant, false),
               coalesce(j.verdict = 'accepted' AND a.has_read AND j.ordinal = min(j.ordinal) FILTER (
                 WHERE j.verdict = 'accepted' AND j.read_seq = a.read_seq) OVER participant, false)
        FROM judged j
        LEFT JOIN advanced a ON a.conversation_id = j.conversation_id AND a.user_id = j.user_id
        WINDOW participant AS (PARTITION BY j.conversation_id, j.user_id)
        ORDER BY j.ordinal;
      END $$`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP FUNCTION advance_receipts');
    await runner.query('DROP TABLE "receipt_log"');
  }
}
