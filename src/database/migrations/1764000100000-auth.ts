import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * The order in which revocations were committed, so that every node reads only what is new
 * (ADR-0006: transaction ids, not times, since a slow transaction may commit after a later one).
 */
export class Auth1764000100000 implements MigrationInterface {
  name = 'Auth1764000100000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER TABLE "users" ADD COLUMN "revoked_xid" bigint`);
    await runner.query(`UPDATE "users" SET "revoked_xid" = current_xid() WHERE "revoked_before" IS NOT NULL`);
    await runner.query(`
      CREATE INDEX "users_revoked" ON "users" ("revoked_xid", "id") WHERE "revoked_before" IS NOT NULL`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP INDEX "users_revoked"`);
    await runner.query(`ALTER TABLE "users" DROP COLUMN "revoked_xid"`);
  }
}
