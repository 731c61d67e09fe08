import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Keeps when each user created conversations, for `NEW_CONVERSATIONS_PER_DAY`. */
export class NewConversations1764002500000 implements MigrationInterface {
  readonly name = 'NewConversations1764002500000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE new_conversations (
        user_id text NOT NULL,
        created_at timestamptz[] NOT NULL,
        CONSTRAINT new_conversations_key PRIMARY KEY (user_id)
      )`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE new_conversations');
  }
}
