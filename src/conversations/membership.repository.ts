import { Injectable } from '@nestjs/common';
import type { ConversationKind, Role } from '../common/index.js';
import { Sql } from '../database/index.js';
import type { Membership } from './membership.js';

interface MembershipRow {
  kind: ConversationKind;
  version: number;
  user_id: string | null;
  role: Role;
  joined_seq: number;
  [column: string]: unknown;
}

/** Reads who takes part. */
@Injectable()
export class MembershipRepository {
  constructor(private readonly sql: Sql) {}

  /**
   * Everybody in a conversation, in one snapshot; by both primary keys. Null: there is no such
   * conversation.
   */
  async load(conversationId: string): Promise<Membership | null> {
    const rows = await this.sql.rows<MembershipRow>({
      name: 'membership-load',
      text: `SELECT c.kind, c.participants_version AS version, p.user_id, p.role, p.joined_seq
             FROM conversations c LEFT JOIN participants p ON p.conversation_id = c.id AND p.left_at IS NULL
             WHERE c.id = $1`,
      values: [conversationId],
    });
    const [first] = rows;
    if (!first) return null;
    const present = rows.filter((row) => row.user_id !== null);
    const participants = new Map(
      present.map((row) => [row.user_id!, { role: row.role, joinedSeq: row.joined_seq }] as const),
    );
    return { conversationId, kind: first.kind, version: first.version, participants };
  }

  /**
   * The conversation's version if the user takes part now, else null. One row, whatever the size of
   * the group.
   */
  async versionFor(conversationId: string, userId: string): Promise<number | null> {
    const [row] = await this.sql.rows<{ version: number }>({
      name: 'membership-version',
      text: `SELECT c.participants_version AS version
             FROM participants p JOIN conversations c ON c.id = p.conversation_id
             WHERE p.conversation_id = $1 AND p.user_id = $2 AND p.left_at IS NULL`,
      values: [conversationId, userId],
    });
    return row?.version ?? null;
  }
}
