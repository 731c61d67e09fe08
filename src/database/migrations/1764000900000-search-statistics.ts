import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Lets the planner know how frequent words are. It does not read the statistics of
 * `messages_search`, since that index leaves out deleted messages; without them every word seems to
 * stand in one of 200 messages.
 */
export class SearchStatistics1764000900000 implements MigrationInterface {
  name = 'SearchStatistics1764000900000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(
      `CREATE STATISTICS "messages_words" ON (message_search_vector("conversation_id", "content")) FROM "messages"`,
    );
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP STATISTICS "messages_words"`);
  }
}
