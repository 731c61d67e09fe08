import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * What devices lack, at the cost of what changed since they were looked at last.
 *
 * A device has a position: whatever it lacks, now or at any later time, is in conversations whose
 * mark (`user_activity`) lies above `backlog_above_xid` (ADR-0006). It holds for the database
 * `backlog_of` names; null: look everywhere. Kept with the device, so that it is forgotten, and put
 * back by a restore, along with the cursors it speaks of.
 */
export class DeviceBacklogs1764001500000 implements MigrationInterface {
  name = 'DeviceBacklogs1764001500000';

  /**
   * `device_backlogs` tells in which conversations each of the devices lacks something, newest
   * activity first, and moves positions: to where every transaction had ended, but below the marks
   * of what is lacking. One statement, so both are of one snapshot, and a device that is forgotten
   * and comes anew meanwhile is not given the position of the old one.
   *
   * A position is moved only where that spares the next look 16 conversations or more: as a rule
   * nothing is written. A device that is locked, because it comes or goes, keeps the one it has:
   * nobody waits for this. Settings: see `append_messages`; a plan from when the tables were small
   * would read all cursors for each conversation.
   */
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER TABLE "devices" ADD COLUMN "backlog_above_xid" bigint, ADD COLUMN "backlog_of" text`);
    await runner.query(`
      CREATE FUNCTION device_backlogs(p_user_ids text[], p_device_ids text[])
      RETURNS TABLE (ordinal bigint, conversation_id uuid, seq bigint, rev bigint) LANGUAGE plpgsql
      SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_hashjoin = off
      SET enable_mergejoin = off AS $$
      #variable_conflict use_column
      BEGIN
        RETURN QUERY
        WITH present AS MATERIALIZED (
          SELECT left(database_epoch(), 16) AS name, pg_snapshot_xmin(pg_current_snapshot())::text::bigint AS xmin,
                 pg_snapshot_xmax(pg_current_snapshot())::text::bigint AS xmax
        ), asked AS MATERIALIZED (
          SELECT a.*, v.backlog_above_xid AS above_xid
          FROM unnest(p_user_ids, p_device_ids) WITH ORDINALITY AS a (user_id, device_id, ordinal)
          CROSS JOIN present
          LEFT JOIN devices v ON v.user_id = a.user_id AND v.device_id = a.device_id
            AND v.backlog_of = present.name AND v.backlog_above_xid <= present.xmax
        ), looked AS MATERIALIZED (
          SELECT a.*, k.conversation_id, k.until_xid, l.*
          FROM asked a
          CROSS JOIN LATERAL (
            SELECT m.conversation_id, m.until_xid, p.joined_seq, p.joined_rev
            FROM user_activity m
            LEFT JOIN participants p
              ON p.conversation_id = m.conversation_id AND p.user_id = m.user_id AND p.left_at IS NULL
            WHERE m.user_id = a.user_id AND m.until_xid > a.above_xid
            UNION ALL
            SELECT p.conversation_id, NULL, p.joined_seq, p.joined_rev FROM participants p
            WHERE a.above_xid IS NULL AND p.user_id = a.user_id AND p.left_at IS NULL
          ) k
          LEFT JOIN LATERAL (
            SELECT greatest(k.joined_seq, d.seq) AS seq, greatest(k.joined_rev, d.rev) AS rev, c.updated_at,
                   coalesce(k.until_xid, (SELECT m.until_xid FROM user_activity m
                                          WHERE m.conversation_id = k.conversation_id AND m.user_id = a.user_id), 0) AS mark
            FROM conversations c
            LEFT JOIN device_cursors d
              ON d.user_id = a.user_id AND d.device_id = a.device_id AND d.conversation_id = k.conversation_id
            WHERE c.id = k.conversation_id AND c.last_rev > greatest(k.joined_rev, d.rev)
              AND k.joined_rev IS NOT NULL
            OFFSET 0
          ) l ON true
        ), next AS MATERIALIZED (
          SELECT n.user_id, n.device_id, n.xid
          FROM (
            SELECT l.ordinal, l.user_id, l.device_id, l.above_xid, l.until_xid,
                   least(present.xmin, min(l.mark) OVER (PARTITION BY l.ordinal) - 1) AS xid
            FROM looked l, present
          ) n
          GROUP BY n.ordinal, n.user_id, n.device_id, n.xid, n.above_xid
          HAVING n.xid >= 0 AND (n.above_xid IS NULL OR count(*) FILTER (WHERE n.until_xid <= n.xid) >= 16)
        ), held AS MATERIALIZED (
          SELECT n.* FROM next n JOIN devices v ON v.user_id = n.user_id AND v.device_id = n.device_id
          FOR NO KEY UPDATE OF v SKIP LOCKED
        ), noted AS (
          UPDATE devices v SET backlog_above_xid = h.xid, backlog_of = present.name
          FROM held h, present WHERE v.user_id = h.user_id AND v.device_id = h.device_id
        )
        SELECT l.ordinal, l.conversation_id, l.seq, l.rev FROM looked l WHERE l.rev IS NOT NULL
        ORDER BY l.ordinal, l.updated_at DESC;
      END $$`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP FUNCTION device_backlogs');
    await runner.query(`ALTER TABLE "devices" DROP COLUMN "backlog_above_xid", DROP COLUMN "backlog_of"`);
  }
}
