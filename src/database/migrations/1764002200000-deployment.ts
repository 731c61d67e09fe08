import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * A random seed that tells this deployment from others on the same Redis server (ADR-0019). One
 * row, written once.
 */
export class Deployment1764002200000 implements MigrationInterface {
  name = 'Deployment1764002200000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE "deployment" (
        "is_only" boolean PRIMARY KEY DEFAULT true CHECK ("is_only"),
        "seed" uuid NOT NULL DEFAULT gen_random_uuid()
      )`);
    await runner.query('INSERT INTO "deployment" DEFAULT VALUES');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE "deployment"');
  }
}
