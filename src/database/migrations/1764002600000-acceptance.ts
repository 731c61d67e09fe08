import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Whom a user has accepted by a conversation, and who may add a user to a group (ADR-0027).
 *
 * User U has accepted user V by a conversation that both are in if `U.accepted_seq >
 * V.rejoined_seq`:
 *
 * - `participants.accepted_seq` is null until the user opens, creates or sends, and null again
 *   after they rejoin. A send sets it only if it does not exceed `conversations.rejoined_seq`, so
 *   as a rule a send writes nothing more.
 * - `participants.rejoined_seq` is the conversation's last seq when the user came back, or -1 if
 *   they never left.
 * - `conversations.rejoined_seq` is the highest of these.
 *
 * `participants.sight_xid` is the transaction that last changed which receipts the user may see
 * there: a block or its end.
 */
export class Acceptance1764002600000 implements MigrationInterface {
  name = 'Acceptance1764002600000';

  /**
   * Who has sent has accepted, and so has the owner of a group. Who opened a direct conversation is
   * not known.
   */
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE "participants" ADD COLUMN "accepted_seq" bigint, ADD COLUMN "rejoined_seq" bigint NOT NULL DEFAULT -1,
        ADD COLUMN "sight_xid" bigint`);
    await runner.query(`ALTER TABLE "conversations" ADD COLUMN "rejoined_seq" bigint NOT NULL DEFAULT -1`);
    await runner.query(`ALTER TABLE "users" ADD COLUMN "privacy_groups" text NOT NULL DEFAULT 'everyone'`);
    await runner.query(`UPDATE participants SET accepted_seq = 0 WHERE role = 'owner' AND left_at IS NULL`);
    await runner.query(`
      UPDATE participants p SET accepted_seq = s.seq
      FROM (SELECT m.conversation_id, m.sender_id, max(m.seq) AS seq FROM messages m GROUP BY 1, 2) s
      WHERE p.conversation_id = s.conversation_id AND p.user_id = s.sender_id AND s.seq > p.joined_seq`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER TABLE "users" DROP COLUMN "privacy_groups"`);
    await runner.query(`ALTER TABLE "conversations" DROP COLUMN "rejoined_seq"`);
    await runner.query(
      `ALTER TABLE "participants" DROP COLUMN "accepted_seq", DROP COLUMN "rejoined_seq", DROP COLUMN "sight_xid"`,
    );
  }
}
