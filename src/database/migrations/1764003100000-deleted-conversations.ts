import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * A conversation that its owner deleted has no participants from that moment on. What it held is
 * removed in steps; the row stays, for `sync` to name it as removed.
 */
export class DeletedConversations1764003100000 implements MigrationInterface {
  name = 'DeletedConversations1764003100000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(
      `ALTER TABLE "conversations" ADD COLUMN "deleted_at" timestamptz, ADD COLUMN "emptied_at" timestamptz`,
    );
    await runner.query(
      `CREATE INDEX "conversations_to_empty" ON "conversations" ("deleted_at")
       WHERE "deleted_at" IS NOT NULL AND "emptied_at" IS NULL`,
    );
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP INDEX "conversations_to_empty"');
    await runner.query('ALTER TABLE "conversations" DROP COLUMN "deleted_at", DROP COLUMN "emptied_at"');
  }
}
