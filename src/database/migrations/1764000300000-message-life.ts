import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Revisions, reactions and search.
 *
 * `sent_rev` and `edited_rev` tell what a row's latest `rev` does not: whether a device that was
 * away between two revs missed the message itself, an edit of it, or reactions only. Both are null
 * until something changes.
 *
 * A reaction that was taken back stays as a row with its `rev`, so that those who were away can be
 * told of it.
 *
 * The search index carries the conversation's id as one more word: a rare word, and a common one in
 * a small conversation, cost what the answer is long, however much other conversations say it. Its
 * pending list is kept short, since the send that fills it pays for emptying it.
 */
export class MessageLife1764000300000 implements MigrationInterface {
  name = 'MessageLife1764000300000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER TABLE "messages" ADD COLUMN "sent_rev" bigint, ADD COLUMN "edited_rev" bigint`);

    await runner.query(`
      CREATE TABLE "message_revisions" (
        "message_id" uuid NOT NULL,
        "rev" bigint NOT NULL,
        "content" json NOT NULL,
        "created_at" timestamptz NOT NULL,
        PRIMARY KEY ("message_id", "rev")
      )`);

    await runner.query(`
      CREATE TABLE "reactions" (
        "message_id" uuid NOT NULL,
        "emoji" text NOT NULL,
        "user_id" text NOT NULL,
        "conversation_id" uuid NOT NULL,
        "rev" bigint NOT NULL,
        "removed" boolean NOT NULL DEFAULT false,
        "changed_at" timestamptz NOT NULL DEFAULT clock_timestamp(),
        PRIMARY KEY ("message_id", "emoji", "user_id")
      )`);
    await runner.query(`CREATE INDEX "reactions_rev" ON "reactions" ("conversation_id", "rev")`);

    await runner.query(`
      CREATE FUNCTION conversation_lexeme(conversation_id uuid) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
        $$ SELECT '@' || conversation_id::text $$`);
    await runner.query(`
      CREATE FUNCTION message_search_vector(conversation_id uuid, content json) RETURNS tsvector
      LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
        SELECT to_tsvector('simple'::regconfig,
                           coalesce(content ->> 'text', '') || ' ' || coalesce(content ->> 'caption', ''))
               || array_to_tsvector(ARRAY['@' || conversation_id::text])
      $$`);
    await runner.query(`
      CREATE INDEX "messages_search" ON "messages" USING gin (message_search_vector("conversation_id", "content"))
        WITH (gin_pending_list_limit = 512) WHERE "deleted_at" IS NULL`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP INDEX "messages_search"`);
    await runner.query('DROP FUNCTION message_search_vector');
    await runner.query('DROP FUNCTION conversation_lexeme');
    await runner.query(`DROP TABLE "reactions"`);
    await runner.query(`DROP TABLE "message_revisions"`);
    await runner.query(`ALTER TABLE "messages" DROP COLUMN "sent_rev", DROP COLUMN "edited_rev"`);
  }
}
