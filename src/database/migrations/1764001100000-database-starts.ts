import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Recognises restores that the epoch alone does not show.
 *
 * A disk snapshot that is put back is the same cluster on the same timeline; only its transaction
 * ids start again lower, and after a while they have passed those that positions name. So each
 * start of Postgres is recorded with the first transaction id after it: a position from before a
 * start that names a later id is of a future that was undone.
 *
 * A dump restored into the same database makes the tables anew, a data-only one empties them first:
 * the epoch now takes in which tables and which files they are. (VACUUM FULL makes new files, too;
 * it costs clients a full sync.)
 */
export class DatabaseStarts1764001100000 implements MigrationInterface {
  name = 'DatabaseStarts1764001100000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE "database_starts" (
        "id" bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        "started_at" timestamptz NOT NULL,
        "first_xid" bigint NOT NULL
      )`);
    await runner.query(`CREATE UNIQUE INDEX "database_starts_at" ON "database_starts" ("started_at")`);
    // Postgres writes a checkpoint when it stops and when it has recovered: its next transaction id
    // is the first of the start. A later checkpoint, before anybody asked for the epoch, makes it
    // higher and the check weaker, no more.
    await runner.query(`
      CREATE OR REPLACE FUNCTION database_epoch() RETURNS text LANGUAGE plpgsql VOLATILE AS $$
      DECLARE
        v_started timestamptz := pg_postmaster_start_time();
      BEGIN
        IF NOT EXISTS (SELECT 1 FROM database_starts WHERE started_at = v_started) THEN
          INSERT INTO database_starts (started_at, first_xid)
          SELECT v_started, (split_part(next_xid, ':', 1)::bigint << 32) + split_part(next_xid, ':', 2)::bigint
          FROM pg_control_checkpoint()
          ON CONFLICT DO NOTHING;
        END IF;
        RETURN substr(md5(concat_ws('.', (SELECT system_identifier FROM pg_control_system()),
                                         (SELECT timeline_id FROM pg_control_checkpoint()),
                                         (SELECT oid FROM pg_database WHERE datname = current_database()),
                                         (SELECT seed FROM epoch_seed),
                                         'conversations'::regclass::oid, pg_relation_filenode('conversations'),
                                         'messages'::regclass::oid, pg_relation_filenode('messages'))), 1, 16)
               || database_start_name(v_started);
      END $$`);
    await runner.query(`
      CREATE FUNCTION database_start_name(started_at timestamptz) RETURNS text LANGUAGE sql IMMUTABLE AS
        $$ SELECT to_hex((extract(epoch FROM started_at) * 1000000)::bigint) $$`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP FUNCTION database_start_name');
    await runner.query(`
      CREATE OR REPLACE FUNCTION database_epoch() RETURNS text LANGUAGE sql STABLE AS $$
        SELECT substr(md5(concat_ws('.', (SELECT system_identifier FROM pg_control_system()),
                                         (SELECT timeline_id FROM pg_control_checkpoint()),
                                         (SELECT oid FROM pg_database WHERE datname = current_database()),
                                         (SELECT seed FROM epoch_seed))), 1, 16)
      $$`);
    await runner.query('DROP TABLE "database_starts"');
  }
}
