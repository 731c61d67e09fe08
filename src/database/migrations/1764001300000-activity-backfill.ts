import type { MigrationInterface, QueryRunner } from 'typeorm';

const conversationsAtOnce = 500;
const firstId = '00000000-0000-0000-0000-000000000000';

const fillSql = `
  WITH step AS MATERIALIZED (
    SELECT id, marked_until FROM conversations WHERE id > $1 ORDER BY id LIMIT $2 FOR NO KEY UPDATE
  ), filled AS (
    INSERT INTO user_activity AS a (conversation_id, user_id, until_xid)
    SELECT p.conversation_id, p.user_id, greatest(s.marked_until, pg_snapshot_xmax(pg_current_snapshot())::text::bigint)
    FROM step s JOIN participants p ON p.conversation_id = s.id
    ORDER BY p.conversation_id, p.user_id
    ON CONFLICT (conversation_id, user_id) DO UPDATE SET until_xid = excluded.until_xid
      WHERE a.until_xid < excluded.until_xid
  )
  SELECT id FROM step ORDER BY id DESC LIMIT 1`;

/**
 * Marks everyone who takes part already, or has left, up to the present (see `ActivityMarks`): what
 * changed before is told to positions from before, and costs those of afterwards nothing. Whatever
 * changes meanwhile is marked by itself.
 *
 * In steps, each a transaction of its own that holds some conversations for a moment, so that a
 * large database is served meanwhile. Running it again does no harm.
 */
export class ActivityBackfill1764001300000 implements MigrationInterface {
  name = 'ActivityBackfill1764001300000';
  transaction = false;

  async up(runner: QueryRunner): Promise<void> {
    for (let after: string | undefined = firstId; after !== undefined;) {
      const rows = (await runner.query(fillSql, [after, conversationsAtOnce])) as { id: string }[];
      after = rows[0]?.id;
    }
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('TRUNCATE user_activity');
  }
}
