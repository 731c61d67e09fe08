import { Injectable } from '@nestjs/common';
import type { Participant, Role } from '../common/index.js';
import type { SqlRunner } from '../database/index.js';
import { isoTime } from './message-view.js';

interface ParticipantRow {
  userId: string;
  role: Role;
  joinedAt: Date;
  deliveredSeq: number;
  readSeq: number;
  [column: string]: unknown;
}

/** Writes the table of participants, always in a transaction that holds the conversation's lock. */
@Injectable()
export class ParticipantRepository {
  /**
   * Adds participants who read what comes after `start`. One who was there before starts anew: whom
   * they accepted by this conversation, and who accepted them, no longer counts (ADR-0027).
   *
   * @param roles by user id
   */
  async add(
    tx: SqlRunner,
    conversationId: string,
    start: { lastSeq: number; lastRev: number },
    roles: ReadonlyMap<string, Role>,
  ): Promise<void> {
    await tx.rows(
      `WITH added AS (
         INSERT INTO participants AS p
           (conversation_id, user_id, role, joined_at, joined_seq, joined_rev, delivered_seq, delivered_rev, read_seq,
            changed_xid)
         SELECT $1, n.user_id, n.role, date_trunc('milliseconds', statement_timestamp()), $2, $3, $2, $3, $2,
                current_xid()
         FROM unnest($4::text[], $5::text[]) AS n (user_id, role)
         ON CONFLICT (conversation_id, user_id) DO UPDATE
         SET role = excluded.role, joined_at = excluded.joined_at, left_at = NULL, joined_seq = excluded.joined_seq,
             joined_rev = excluded.joined_rev, delivered_seq = excluded.delivered_seq,
             delivered_rev = excluded.delivered_rev, read_seq = excluded.read_seq, delivered_at = NULL, read_at = NULL,
             changed_xid = excluded.changed_xid, accepted_seq = NULL, rejoined_seq = excluded.joined_seq
         RETURNING p.rejoined_seq
       )
       UPDATE conversations SET rejoined_seq = $2 WHERE id = $1 AND (SELECT max(rejoined_seq) FROM added) >= 0`,
      [conversationId, start.lastSeq, start.lastRev, [...roles.keys()], [...roles.values()]],
    );
  }

  /**
   * Has a user accept the other participants, as a send does (ADR-0027); by primary keys.
   * @returns whether they had not yet
   */
  async accept(tx: SqlRunner, conversationId: string, userId: string): Promise<boolean> {
    const rows = await tx.rows(
      `UPDATE participants p SET accepted_seq = c.last_seq FROM conversations c
       WHERE c.id = $1 AND p.conversation_id = $1 AND p.user_id = $2 AND p.left_at IS NULL
         AND (p.accepted_seq > c.rejoined_seq) IS NOT TRUE
       RETURNING 1`,
      [conversationId, userId],
    );
    return rows.length > 0;
  }

  async remove(tx: SqlRunner, conversationId: string, userId: string): Promise<void> {
    await tx.rows(
      `UPDATE participants SET left_at = date_trunc('milliseconds', clock_timestamp()), changed_xid = current_xid()
       WHERE conversation_id = $1 AND user_id = $2`,
      [conversationId, userId],
    );
  }

  /** Everybody leaves at once. @returns who took part */
  async removeAll(tx: SqlRunner, conversationId: string): Promise<string[]> {
    const rows = await tx.rows<{ user_id: string }>(
      `UPDATE participants SET left_at = date_trunc('milliseconds', clock_timestamp()), changed_xid = current_xid()
       WHERE conversation_id = $1 AND left_at IS NULL RETURNING user_id`,
      [conversationId],
    );
    return rows.map(({ user_id }) => user_id);
  }

  async setRole(tx: SqlRunner, conversationId: string, userId: string, role: Role): Promise<void> {
    await tx.rows(
      `UPDATE participants SET role = $3, changed_xid = current_xid() WHERE conversation_id = $1 AND user_id = $2`,
      [conversationId, userId, role],
    );
  }

  /** Makes whoever owns the group an admin, before another becomes the owner. */
  async demoteOwner(tx: SqlRunner, conversationId: string): Promise<void> {
    await tx.rows(
      `UPDATE participants SET role = 'admin', changed_xid = current_xid()
       WHERE conversation_id = $1 AND role = 'owner' AND left_at IS NULL`,
      [conversationId],
    );
  }

  /** One participant with their cursors as they are stored. */
  async read(tx: SqlRunner, conversationId: string, userId: string): Promise<Participant> {
    const [row] = await tx.rows<ParticipantRow>(
      `SELECT user_id AS "userId", role, joined_at AS "joinedAt", delivered_seq AS "deliveredSeq", read_seq AS "readSeq"
       FROM participants WHERE conversation_id = $1 AND user_id = $2`,
      [conversationId, userId],
    );
    return { ...row!, joinedAt: isoTime(row!.joinedAt) };
  }
}
