import { Injectable } from '@nestjs/common';
import type { Participant, Role } from '../common/index.js';
import { Sql } from '../database/index.js';
import { isoTime } from './message-view.js';

/** A place in the list of participants: role, time of joining, user id. */
export interface ParticipantKey {
  rank: number;
  /** Unix microseconds: Postgres' precision. */
  joinedAtUs: number;
  userId: string;
}

/** A participant as stored, with their place in the list. */
export interface ListedParticipant {
  participant: Participant;
  key: ParticipantKey;
}

/** The order of participants, wherever they are shown. */
export const roleOrder: readonly Role[] = ['owner', 'admin', 'member'];

/** SQL: the place of a role in {@link roleOrder}. @param role a column */
export function rankOf(role: string): string {
  return `array_position(ARRAY[${roleOrder.map((name) => `'${name}'`).join(', ')}], ${role})`;
}

interface Row {
  user_id: string;
  role: Role;
  joined_at: Date;
  joined_at_us: number;
  delivered_seq: number;
  read_seq: number;
  rank: number;
  [column: string]: unknown;
}

/** Reads the participants of a conversation in pages. */
@Injectable()
export class ParticipantPageRepository {
  constructor(private readonly sql: Sql) {}

  /** By role, then by time of joining; the primary key's range of the conversation, sorted in memory. */
  async page(conversationId: string, after: ParticipantKey | null, limit: number): Promise<ListedParticipant[]> {
    const rows = await this.sql.rows<Row>({
      name: 'participant-page',
      text: `SELECT * FROM (
               SELECT user_id, role, joined_at, delivered_seq, read_seq, ${rankOf('role')} AS rank,
                      (extract(epoch FROM joined_at) * 1000000)::bigint AS joined_at_us
               FROM participants WHERE conversation_id = $1 AND left_at IS NULL) p
             WHERE $2::integer IS NULL OR (rank, joined_at_us, user_id) > ($2::integer, $3::bigint, $4::text)
             ORDER BY rank, joined_at_us, user_id LIMIT $5`,
      values: [conversationId, after?.rank ?? null, after?.joinedAtUs ?? null, after?.userId ?? null, limit],
    });
    return rows.map((row) => ({
      participant: {
        userId: row.user_id,
        role: row.role,
        joinedAt: isoTime(row.joined_at),
        deliveredSeq: row.delivered_seq,
        readSeq: row.read_seq,
      },
      key: { rank: row.rank, joinedAtUs: row.joined_at_us, userId: row.user_id },
    }));
  }
}
