import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Devices and how far each has come, and the notifications that are still to be handed on.
 *
 * A cursor says what the device has: every message up to `seq` and every change up to `rev`. A row
 * that is missing, or lower, means what the participant had on joining. Rows are updated about once
 * a second per active conversation and device, hence the room left in their pages (HOT updates).
 *
 * A notification is one message for one user; `attempts` and `due_at` carry the back-off over
 * restarts.
 */
export class Delivery1764000500000 implements MigrationInterface {
  name = 'Delivery1764000500000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE "devices" (
        "user_id" text NOT NULL,
        "device_id" text NOT NULL,
        "created_at" timestamptz NOT NULL DEFAULT now(),
        "last_seen_at" timestamptz NOT NULL DEFAULT now(),
        PRIMARY KEY ("user_id", "device_id")
      )`);
    await runner.query(`
      CREATE TABLE "device_cursors" (
        "user_id" text NOT NULL,
        "device_id" text NOT NULL,
        "conversation_id" uuid NOT NULL,
        "seq" bigint NOT NULL,
        "rev" bigint NOT NULL,
        PRIMARY KEY ("user_id", "device_id", "conversation_id")
      ) WITH (fillfactor = 80)`);
    await runner.query(`
      CREATE TABLE "notifications_due" (
        "user_id" text NOT NULL,
        "conversation_id" uuid NOT NULL,
        "seq" bigint NOT NULL,
        "attempts" integer NOT NULL DEFAULT 0,
        "due_at" timestamptz NOT NULL DEFAULT now(),
        PRIMARY KEY ("user_id", "conversation_id", "seq")
      )`);
    await runner.query(`CREATE INDEX "notifications_due_at" ON "notifications_due" ("due_at")`);
    // What a user hid since a position, for sync; without it his whole list would be read.
    await runner.query(`CREATE INDEX "hidden_messages_changed" ON "hidden_messages" ("user_id", "changed_xid")`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP INDEX "hidden_messages_changed"`);
    for (const table of ['notifications_due', 'device_cursors', 'devices']) await runner.query(`DROP TABLE "${table}"`);
  }
}
