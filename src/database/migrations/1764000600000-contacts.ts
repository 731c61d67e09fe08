import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Whom a user has added as a contact.
 *
 * The primary key answers "is he a contact of hers?" and lists them; `contacts_contact` answers
 * "who has added him?", for those who are to hear of his presence.
 */
export class Contacts1764000600000 implements MigrationInterface {
  name = 'Contacts1764000600000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE "contacts" (
        "user_id" text NOT NULL,
        "contact_id" text NOT NULL,
        "created_at" timestamptz NOT NULL DEFAULT now(),
        PRIMARY KEY ("user_id", "contact_id")
      )`);
    await runner.query(`CREATE INDEX "contacts_contact" ON "contacts" ("contact_id", "user_id")`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE "contacts"');
  }
}
