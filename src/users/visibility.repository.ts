import { Injectable } from '@nestjs/common';
import { Sql } from '../database/index.js';
import type { Audience } from './user.js';
import type { Relation } from './visibility.js';

/** What stands between one viewer and one user. */
export interface RelationOfPair extends Relation {
  viewerId: string;
  userId: string;
}

interface RelationRow {
  viewer_id: string;
  user_id: string;
  is_blocked: boolean;
  is_accepted: boolean;
  privacy_online: Audience;
  privacy_last_seen: Audience;
  [column: string]: unknown;
}

/** Reads what visibility is decided by. */
@Injectable()
export class VisibilityRepository {
  constructor(private readonly sql: Sql) {}

  /**
   * Every pair of a viewer and a user; meant for one viewer and many users, or one user and many
   * viewers.
   *
   * One statement. Shared conversations come from `participants_user`, both sides on their own, so
   * that whatever the planner thinks, the cost is that of the conversations of all users named;
   * everything else is one probe of a primary key for each pair. Without a name, so that it is
   * planned for the arrays it gets. Measured: 500 users with 200 conversations each, seen by one
   * with 2,000: 0.2 s.
   */
  async relations(viewerIds: string[], userIds: string[]): Promise<RelationOfPair[]> {
    const rows = await this.sql.rows<RelationRow>(
      `WITH theirs AS MATERIALIZED (
         SELECT conversation_id, user_id, rejoined_seq FROM participants
         WHERE user_id = ANY ($1::text[]) AND left_at IS NULL
       ), others AS MATERIALIZED (
         SELECT conversation_id, user_id, accepted_seq FROM participants
         WHERE user_id = ANY ($2::text[]) AND left_at IS NULL AND accepted_seq IS NOT NULL
       ), accepted AS MATERIALIZED (
         SELECT DISTINCT t.user_id AS viewer_id, o.user_id
         FROM theirs t JOIN others o ON o.conversation_id = t.conversation_id AND o.accepted_seq > t.rejoined_seq
       )
       SELECT v.id AS viewer_id, s.id AS user_id,
              coalesce(u.privacy_online, 'contacts') AS privacy_online,
              coalesce(u.privacy_last_seen, 'contacts') AS privacy_last_seen,
              (k.user_id IS NOT NULL OR a.user_id IS NOT NULL) AS is_accepted,
              (EXISTS (SELECT 1 FROM blocks x WHERE x.user_id = v.id AND x.blocked_id = s.id)
               OR EXISTS (SELECT 1 FROM blocks x WHERE x.user_id = s.id AND x.blocked_id = v.id)) AS is_blocked
       FROM unnest($1::text[]) AS v (id)
       CROSS JOIN unnest($2::text[]) AS s (id)
       LEFT JOIN users u ON u.id = s.id
       LEFT JOIN contacts k ON k.user_id = s.id AND k.contact_id = v.id
       LEFT JOIN accepted a ON a.viewer_id = v.id AND a.user_id = s.id`,
      [viewerIds, userIds],
    );
    return rows.map(toRelation);
  }

  /**
   * Who has the user as a contact and may hear of their presence unasked: who has added the user,
   * and the other sides of their direct conversations. With privacy `contacts` the user must have
   * accepted them, other than by a group.
   *
   * By `contacts_contact` and `participants_user`.
   */
  async audience(userId: string, limit: number): Promise<string[]> {
    const rows = await this.sql.rows<{ user_id: string }>({
      // Asked whenever somebody comes or goes: planning it costs more than the rest.
      name: 'presence-audience',
      text: `SELECT f.user_id
       FROM users u, LATERAL (
         SELECT b.user_id
         FROM participants a
         JOIN conversations c ON c.id = a.conversation_id AND c.kind = 'direct'
         JOIN participants b ON b.conversation_id = a.conversation_id AND b.user_id <> a.user_id
         WHERE a.user_id = $1 AND a.left_at IS NULL AND b.left_at IS NULL
           AND (u.privacy_online = 'everyone' OR a.accepted_seq IS NOT NULL
                OR EXISTS (SELECT 1 FROM contacts o WHERE o.user_id = $1 AND o.contact_id = b.user_id))
         UNION
         SELECT k.user_id
         FROM contacts k
         WHERE k.contact_id = $1
           AND (u.privacy_online = 'everyone'
                OR EXISTS (SELECT 1 FROM contacts o WHERE o.user_id = $1 AND o.contact_id = k.user_id))
       ) f
       WHERE u.id = $1 AND u.privacy_online <> 'nobody'
         AND NOT EXISTS (SELECT 1 FROM blocks x WHERE x.user_id = $1 AND x.blocked_id = f.user_id)
         AND NOT EXISTS (SELECT 1 FROM blocks x WHERE x.user_id = f.user_id AND x.blocked_id = $1)
       LIMIT $2`,
      values: [userId, limit],
    });
    return rows.map(({ user_id }) => user_id);
  }
}

function toRelation(row: RelationRow): RelationOfPair {
  return {
    viewerId: row.viewer_id,
    userId: row.user_id,
    isBlocked: row.is_blocked,
    isAccepted: row.is_accepted,
    privacy: { online: row.privacy_online, lastSeen: row.privacy_last_seen },
  };
}
