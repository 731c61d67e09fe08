import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Since when each device may not have heard what its user hid on another one.
 *
 * A time, not a transaction's id: it is moved by how long ago a device proved that it was there,
 * which only a clock can tell; the margin that is taken off covers transactions that commit late.
 * `hidden_messages_at` carries the look-up.
 */
export class HiddenRedelivery1764001000000 implements MigrationInterface {
  name = 'HiddenRedelivery1764001000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(
      `ALTER TABLE "devices" ADD COLUMN "hidden_known_at" timestamptz NOT NULL DEFAULT clock_timestamp()`,
    );
    await runner.query(`CREATE INDEX "hidden_messages_at" ON "hidden_messages" ("user_id", "hidden_at", "message_id")`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP INDEX "hidden_messages_at"`);
    await runner.query(`ALTER TABLE "devices" DROP COLUMN "hidden_known_at"`);
  }
}
