import { Injectable } from '@nestjs/common';
import type { ConversationKind, Role } from '../common/index.js';
import { Sql } from '../database/index.js';
import { messageColumns, messageVisibleTo, type MessageRow } from './message-view.js';

/** Of how many participants a conversation shows the names and cursors. */
export const maxShownParticipants = 50;

export interface ShownParticipant {
  userId: string;
  role: Role;
  joinedAt: string;
  deliveredSeq: number;
  readSeq: number;
}

/** A conversation as one participant sees it. */
export interface ConversationViewRow {
  viewer_id: string;
  id: string;
  kind: ConversationKind;
  title: string | null;
  last_seq: number;
  last_rev: number;
  created_at: Date;
  updated_at: Date;
  participant_count: number;
  unread_count: number;
  last_message: MessageRow | null;
  /** The same for all viewers of a conversation, so only the first row of each has it. */
  participants: ShownParticipant[] | null;
  [column: string]: unknown;
}

// Everything by primary keys and `participants_user`; the unread are counted in the range above the read cursor.
const viewSql = `
  WITH scope AS MATERIALIZED (
    SELECT me.user_id, me.read_seq, me.joined_seq, c.*,
           row_number() OVER (PARTITION BY c.id ORDER BY me.user_id) AS nth
    FROM participants me JOIN conversations c ON c.id = me.conversation_id
    WHERE me.user_id = ANY ($1::text[]) AND me.conversation_id = ANY ($2::uuid[]) AND me.left_at IS NULL
  )
  SELECT s.user_id AS viewer_id, s.id, s.kind, s.title, s.last_seq, s.last_rev, s.created_at, s.updated_at,
         s.participant_count, unread.n AS unread_count, row_to_json(newest) AS last_message, shown.participants
  FROM scope s
  CROSS JOIN LATERAL (
    SELECT count(*) AS n FROM messages m
    WHERE m.conversation_id = s.id AND m.seq > s.read_seq AND m.sender_id <> s.user_id AND m.deleted_at IS NULL
      AND ${messageVisibleTo('m', 's')}
  ) unread
  LEFT JOIN LATERAL (
    SELECT ${messageColumns('m')} FROM messages m
    WHERE m.conversation_id = s.id AND ${messageVisibleTo('m', 's')}
    ORDER BY m.seq DESC LIMIT 1
  ) newest ON true
  CROSS JOIN LATERAL (
    SELECT json_agg(json_build_object('userId', p.user_id, 'role', p.role, 'joinedAt', p.joined_at,
                                      'deliveredSeq', p.delivered_seq, 'readSeq', p.read_seq)
                    ORDER BY p.joined_at, p.user_id) AS participants
    FROM (SELECT * FROM participants o
          WHERE s.nth = 1 AND o.conversation_id = s.id AND o.left_at IS NULL
          ORDER BY o.joined_at, o.user_id LIMIT ${maxShownParticipants}) p
  ) shown
  ORDER BY s.id, s.nth`;

/** Reads conversations as their participants see them: one query, however many. */
@Injectable()
export class ConversationViewRepository {
  constructor(private readonly sql: Sql) {}

  /** A row for each of the users in each of the conversations where he is a participant; ordered by conversation. */
  read(userIds: string[], conversationIds: string[]): Promise<ConversationViewRow[]> {
    return this.sql.rows<ConversationViewRow>({
      name: 'conversation-view',
      text: viewSql,
      values: [userIds, conversationIds],
    });
  }
}
