import { Injectable } from '@nestjs/common';
import type { ConversationKind, Role } from '../common/index.js';
import { Sql } from '../database/index.js';
import { messageColumns, messageVisibleTo, type MessageRow } from './message-view.js';
import { rankOf } from './participant-page.repository.js';
import { unreadMessages } from './unread.js';

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
  viewer_role: Role;
  viewer_joined_at: Date;
  viewer_delivered_seq: number;
  viewer_read_seq: number;
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

/** SQL: how many messages a viewer `s` has not read. */
interface UnreadCount {
  /** What is counted beforehand, from `viewers`. */
  tables: string;
  joins: string;
  count: string;
}

// A range of the primary key for each viewer: the shortest way for a few of them.
const countForEach: UnreadCount = {
  tables: '',
  joins: `
  CROSS JOIN LATERAL (
    SELECT count(*) AS n FROM ${unreadMessages('s', 's.id')}
  ) unread`,
  count: 'unread.n',
};

// One pass over the longest of the ranges, by sender and by how many of the viewers' cursors a
// message is above: in a group of 1,024 a pass for each would be 1,024 of them. What a viewer hid
// is taken off one by one.
const countInOnePass: UnreadCount = {
  tables: `, cursors AS MATERIALIZED (
    SELECT v.id, array_agg(DISTINCT v.cursor ORDER BY v.cursor) AS places FROM viewers v GROUP BY v.id
  ), tally AS MATERIALIZED (
    SELECT k.id, t.*
    FROM cursors k CROSS JOIN LATERAL (
      SELECT width_bucket(m.seq - 1, k.places) AS above, m.sender_id, count(*) AS n FROM messages m
      WHERE m.conversation_id = k.id AND m.seq > k.places[1] AND ${isThere('m')}
      GROUP BY 1, 2) t
  ), placed AS MATERIALIZED (
    SELECT v.id, v.user_id, width_bucket(v.cursor, k.places) AS place FROM viewers v JOIN cursors k ON k.id = v.id
  ), from_all AS (
    SELECT v.id, v.user_id, sum(t.n) AS n
    FROM placed v JOIN (SELECT id, above, sum(n) AS n FROM tally GROUP BY id, above) t ON t.id = v.id AND t.above >= v.place
    GROUP BY v.id, v.user_id
  ), from_self AS (
    SELECT v.id, v.user_id, sum(t.n) AS n
    FROM placed v JOIN tally t ON t.id = v.id AND t.sender_id = v.user_id AND t.above >= v.place
    GROUP BY v.id, v.user_id
  )`,
  joins: `
  LEFT JOIN from_all a ON a.id = s.id AND a.user_id = s.user_id
  LEFT JOIN from_self o ON o.id = s.id AND o.user_id = s.user_id
  CROSS JOIN LATERAL (
    SELECT count(*) AS n
    FROM hidden_messages h JOIN messages m ON m.conversation_id = h.conversation_id AND m.seq = h.seq
    WHERE h.user_id = s.user_id AND h.conversation_id = s.id AND h.seq > s.cursor AND m.sender_id <> s.user_id
      AND ${isThere('m')}
  ) hidden`,
  count: 'coalesce(a.n, 0)::bigint - coalesce(o.n, 0)::bigint - hidden.n',
};

// Everything by primary keys and `participants_user`.
const viewSql = ({ tables, joins, count }: UnreadCount) => `
  WITH viewers AS MATERIALIZED (
    SELECT me.user_id, me.role, me.joined_at, me.delivered_seq, me.read_seq, me.joined_seq, greatest(me.read_seq, me.joined_seq) AS cursor, c.*,
           row_number() OVER (PARTITION BY c.id ORDER BY me.user_id) AS nth
    FROM participants me JOIN conversations c ON c.id = me.conversation_id
    WHERE me.user_id = ANY ($1::text[]) AND me.conversation_id = ANY ($2::uuid[]) AND me.left_at IS NULL
  )${tables}
  SELECT s.user_id AS viewer_id, s.role AS viewer_role, s.joined_at AS viewer_joined_at,
         s.delivered_seq AS viewer_delivered_seq, s.read_seq AS viewer_read_seq, s.id, s.kind, s.title, s.last_seq, s.last_rev, s.created_at, s.updated_at,
         s.participant_count, ${count} AS unread_count, row_to_json(newest) AS last_message, shown.participants
  FROM viewers s${joins}
  LEFT JOIN LATERAL (
    SELECT ${messageColumns('m')} FROM messages m
    WHERE m.conversation_id = s.id AND ${messageVisibleTo('m', 's')}
    ORDER BY m.seq DESC LIMIT 1
  ) newest ON true
  CROSS JOIN LATERAL (
    SELECT json_agg(json_build_object('userId', p.user_id, 'role', p.role, 'joinedAt', p.joined_at,
                                      'deliveredSeq', p.delivered_seq, 'readSeq', p.read_seq)
                    ORDER BY ${rankOf('p.role')}, p.joined_at, p.user_id) AS participants
    FROM (SELECT * FROM participants o
          WHERE s.nth = 1 AND o.conversation_id = s.id AND o.left_at IS NULL
          ORDER BY ${rankOf('o.role')}, o.joined_at, o.user_id LIMIT ${maxShownParticipants}) p
  ) shown
  ORDER BY s.id, s.nth`;

const viewForFew = { name: 'conversation-view', text: viewSql(countForEach) };
const viewForMany = { name: 'conversation-view-many', text: viewSql(countInOnePass) };
/** Up to as many, one pass costs more to plan than it saves. */
const few = 4;

/** SQL: neither deleted nor expired. @param message alias of `messages` */
function isThere(message: string): string {
  return `${message}.deleted_at IS NULL AND (${message}.expires_at IS NULL OR ${message}.expires_at > now())`;
}

/** Reads conversations as their participants see them: one query, however many. */
@Injectable()
export class ConversationViewRepository {
  constructor(private readonly sql: Sql) {}

  /**
   * A row for each of the users in each of the conversations where he is a participant; ordered by
   * conversation.
   */
  read(userIds: string[], conversationIds: string[]): Promise<ConversationViewRow[]> {
    const view = userIds.length <= few ? viewForFew : viewForMany;
    return this.sql.rows<ConversationViewRow>({ ...view, values: [userIds, conversationIds] });
  }
}
