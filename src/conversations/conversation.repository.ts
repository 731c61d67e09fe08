import { Injectable } from '@nestjs/common';
import type { ConversationKind, Role } from '../common/index.js';
import { Sql, type SqlRunner } from '../database/index.js';
import { unreadMessages, type UnreadTotals } from './unread.js';

/**
 * A conversation whose row is locked: nobody else changes it, its members or its order until the
 * transaction ends.
 */
export interface LockedConversation {
  id: string;
  kind: ConversationKind;
  title: string | null;
  lastSeq: number;
  lastRev: number;
  participantCount: number;
  /** Of the users asked for, those who take part. */
  roles: ReadonlyMap<string, Role>;
}

export interface NewConversation {
  id: string;
  kind: ConversationKind;
  title: string | null;
  /** Names the pair of a direct conversation; null for a group. */
  directKey: string | null;
  participantCount: number;
}

/** A place in a user's list: newest activity first, then id. */
export interface ListKey {
  /** Unix microseconds: Postgres' precision. */
  updatedAtUs: number;
  id: string;
}

/** Which of a user's conversations; what is left out does not matter. */
export interface ListFilter {
  kind?: ConversationKind;
  unread?: boolean;
}

interface LockRow {
  kind: ConversationKind;
  title: string | null;
  lastSeq: number;
  lastRev: number;
  participantCount: number;
  [column: string]: unknown;
}

/** Reads and writes the table of conversations. Times are whole milliseconds, as on the wire. */
@Injectable()
export class ConversationRepository {
  constructor(private readonly sql: Sql) {}

  /**
   * Locks a conversation against everything but readers: the same lock `append_messages` takes.
   *
   * @param userIds whose roles are needed, read after the lock was got; their rows are locked in
   *   the order receipts take
   * @returns null when there is no such conversation
   */
  async lock(tx: SqlRunner, conversationId: string, userIds: string[]): Promise<LockedConversation | null> {
    const [row] = await tx.rows<LockRow>(
      `SELECT kind, title, last_seq AS "lastSeq", last_rev AS "lastRev", participant_count AS "participantCount"
       FROM conversations WHERE id = $1 FOR NO KEY UPDATE`,
      [conversationId],
    );
    if (!row) return null;
    const roles = await tx.rows<{ user_id: string; role: Role }>(
      `SELECT user_id, role FROM participants
       WHERE conversation_id = $1 AND user_id = ANY ($2::text[]) AND left_at IS NULL
       ORDER BY user_id FOR NO KEY UPDATE`,
      [conversationId, userIds],
    );
    return { ...row, id: conversationId, roles: new Map(roles.map(({ user_id, role }) => [user_id, role])) };
  }

  /**
   * Adds a conversation, unless its pair has one. Waits for somebody who is creating the same one.
   * @returns whether it was added
   */
  async insert(tx: SqlRunner, conversation: NewConversation): Promise<boolean> {
    const { id, kind, title, directKey, participantCount } = conversation;
    const rows = await tx.rows(
      `INSERT INTO conversations (id, kind, title, direct_key, participant_count, created_at, updated_at)
       SELECT $1, $2, $3, $4, $5, t.now, t.now FROM date_trunc('milliseconds', clock_timestamp()) AS t (now)
       ON CONFLICT (direct_key) WHERE direct_key IS NOT NULL DO NOTHING
       RETURNING id`,
      [id, kind, title, directKey, participantCount],
    );
    return rows.length > 0;
  }

  /** The direct conversation of a pair, by `conversations_direct_key`; null: there is none. */
  async directId(tx: SqlRunner, directKey: string): Promise<string | null> {
    const [row] = await tx.rows<{ id: string }>('SELECT id FROM conversations WHERE direct_key = $1', [directKey]);
    return row?.id ?? null;
  }

  /** @returns the version of the participants, which stays */
  async rename(tx: SqlRunner, conversationId: string, title: string | null): Promise<number> {
    return this.update(tx, `title = $2`, [conversationId, title]);
  }

  /**
   * Records that participants or roles have changed.
   * @param growth by how many participants the conversation grew; may be negative
   * @returns the new version of the participants
   */
  async bump(tx: SqlRunner, conversationId: string, growth: number): Promise<number> {
    const change = `participants_version = participants_version + 1, participant_count = participant_count + $2::integer`;
    return this.update(tx, change, [conversationId, growth]);
  }

  /**
   * Ids of a user's conversations, newest activity first; by `participants_user`, sorted in memory.
   */
  async page(userId: string, filter: ListFilter, after: ListKey | null, limit: number): Promise<ListKey[]> {
    return this.sql.rows<ListKey & { [column: string]: unknown }>({
      name: 'conversation-page',
      text: `SELECT c.id, (extract(epoch FROM c.updated_at) * 1000000)::bigint AS "updatedAtUs"
             FROM participants p JOIN conversations c ON c.id = p.conversation_id
             WHERE p.user_id = $1 AND p.left_at IS NULL
               AND ($2::bigint IS NULL
                    OR (c.updated_at, c.id) < (timestamptz 'epoch' + $2 * interval '1 microsecond', $3::uuid))
               AND ($5::text IS NULL OR c.kind = $5)
               AND ($6::boolean IS NULL
                    OR (c.last_seq > p.read_seq AND EXISTS (SELECT 1 FROM ${unreadMessages('p', 'c.id')})) = $6)
             ORDER BY c.updated_at DESC, c.id DESC LIMIT $4`,
      values: [
        userId,
        after?.updatedAtUs ?? null,
        after?.id ?? null,
        limit,
        filter.kind ?? null,
        filter.unread ?? null,
      ],
    });
  }

  /** By `participants_user`, and for each conversation with something new a range of messages. */
  async unread(userId: string): Promise<UnreadTotals> {
    const [row] = await this.sql.rows<UnreadTotals & { [column: string]: unknown }>({
      name: 'unread-totals',
      text: `SELECT coalesce(sum(u.n), 0)::bigint AS total, count(*) FILTER (WHERE u.n > 0) AS conversations
             FROM participants p JOIN conversations c ON c.id = p.conversation_id
             CROSS JOIN LATERAL (SELECT count(*) AS n FROM ${unreadMessages('p', 'c.id')}) u
             WHERE p.user_id = $1 AND p.left_at IS NULL AND c.last_seq > p.read_seq`,
      values: [userId],
    });
    return { total: row!.total, conversations: row!.conversations };
  }

  /** Ends a conversation for all. @returns the version of the participants, who are none any more */
  async delete(tx: SqlRunner, conversationId: string): Promise<number> {
    const change = `participants_version = participants_version + 1, participant_count = 0, title = NULL,
      deleted_at = date_trunc('milliseconds', clock_timestamp())`;
    return this.update(tx, change, [conversationId]);
  }

  private async update(tx: SqlRunner, change: string, values: unknown[]): Promise<number> {
    const [row] = await tx.rows<{ version: number }>(
      `UPDATE conversations
       SET ${change}, updated_at = date_trunc('milliseconds', clock_timestamp()), changed_xid = current_xid()
       WHERE id = $1 RETURNING participants_version AS version`,
      values,
    );
    return row!.version;
  }
}
