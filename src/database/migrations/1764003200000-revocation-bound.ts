import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Revocations of a user's other sessions and of removed devices, and the order in which changes of
 * access were committed: every node reads both lists by position (ADR-0028).
 *
 * `revocations`: `device_id` is empty for all sessions of the user, except that of `kept_token`
 * (the hash of one token). Admins' revocations stay in `users.revoked_before`.
 */
export class RevocationBound1764003200000 implements MigrationInterface {
  name = 'RevocationBound1764003200000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE "revocations" (
        "user_id" text NOT NULL,
        "device_id" text NOT NULL,
        "before" timestamptz NOT NULL,
        "kept_token" text,
        "xid" bigint NOT NULL,
        PRIMARY KEY ("user_id", "device_id")
      )`);
    await runner.query(`CREATE INDEX "revocations_xid" ON "revocations" ("xid", "user_id", "device_id")`);
    await runner.query(`ALTER TABLE "notice_log" ADD COLUMN "xid" bigint NOT NULL DEFAULT current_xid()`);
    await runner.query(`CREATE INDEX "notice_log_xid" ON "notice_log" ("xid", "id")`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP INDEX "notice_log_xid"');
    await runner.query('ALTER TABLE "notice_log" DROP COLUMN "xid"');
    await runner.query('DROP TABLE "revocations"');
  }
}
