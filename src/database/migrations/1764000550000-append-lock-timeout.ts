import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * A batch waits 300 ms, not the 2.5 s of other statements, for a conversation that another
 * transaction holds: all other conversations of the batch wait with it.
 */
export class AppendLockTimeout1764000550000 implements MigrationInterface {
  name = 'AppendLockTimeout1764000550000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER FUNCTION append_messages SET lock_timeout = '300ms'`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER FUNCTION append_messages RESET lock_timeout');
  }
}
