import { Injectable } from '@nestjs/common';
import { Sql } from '../database/index.js';

/** A recipient and the range of revs in which he may have got messages. */
export interface NotificationRange {
  userId: string;
  conversationId: string;
  fromRev: number;
  toRev: number;
}

export interface DueNotification {
  userId: string;
  conversationId: string;
  seq: number;
  /** Null: the message is gone. */
  messageId: string | null;
  senderId: string | null;
  createdAt: Date | null;
  [column: string]: unknown;
}

/** Notifications that are still to be handed on. */
@Injectable()
export class NotificationRepository {
  constructor(private readonly sql: Sql) {}

  /**
   * Adds the messages of others sent in these ranges; a repeat changes nothing. By `messages_rev`.
   */
  async add(ranges: readonly NotificationRange[]): Promise<void> {
    await this.sql.rows({
      name: 'notifications-add',
      text: `INSERT INTO notifications_due (user_id, conversation_id, seq)
             SELECT a.user_id, a.conversation_id, m.seq
             FROM unnest($1::text[], $2::uuid[], $3::bigint[], $4::bigint[]) AS a (user_id, conversation_id, from_rev, to_rev)
             JOIN participants p
               ON p.conversation_id = a.conversation_id AND p.user_id = a.user_id AND p.left_at IS NULL
             JOIN messages m ON m.conversation_id = a.conversation_id AND m.rev >= a.from_rev
               AND coalesce(m.sent_rev, m.rev) BETWEEN a.from_rev AND a.to_rev
               AND m.sender_id <> a.user_id AND m.seq > p.joined_seq AND m.deleted_at IS NULL
             ORDER BY 1, 2, 3
             ON CONFLICT DO NOTHING`,
      values: [
        ranges.map(({ userId }) => userId),
        ranges.map(({ conversationId }) => conversationId),
        ranges.map(({ fromRev }) => fromRev),
        ranges.map(({ toRev }) => toRev),
      ],
    });
  }

  /**
   * Takes what is due, longest due first. Taking puts the next try off (5 s, doubling, an hour at
   * most), so that what is not {@link settle settled}, for whatever reason, comes again; by
   * `notifications_due_at`.
   */
  claim(limit: number): Promise<DueNotification[]> {
    return this.sql.rows<DueNotification>({
      name: 'notifications-claim',
      text: `WITH due AS (
               SELECT user_id, conversation_id, seq FROM notifications_due
               WHERE due_at <= now() ORDER BY due_at LIMIT $1 FOR UPDATE SKIP LOCKED
             ), taken AS (
               UPDATE notifications_due n
               SET attempts = n.attempts + 1,
                   due_at = now() + make_interval(secs => least(3600, 5 * 2 ^ least(n.attempts, 10)))
               FROM due d WHERE n.user_id = d.user_id AND n.conversation_id = d.conversation_id AND n.seq = d.seq
               RETURNING n.user_id, n.conversation_id, n.seq
             )
             SELECT t.user_id AS "userId", t.conversation_id AS "conversationId", t.seq, m.id AS "messageId",
                    m.sender_id AS "senderId", m.created_at AS "createdAt"
             FROM taken t
             LEFT JOIN messages m ON m.conversation_id = t.conversation_id AND m.seq = t.seq AND m.deleted_at IS NULL`,
      values: [limit],
    });
  }

  async settle(done: readonly DueNotification[]): Promise<void> {
    await this.sql.rows({
      name: 'notifications-settle',
      text: `DELETE FROM notifications_due n
             USING unnest($1::text[], $2::uuid[], $3::bigint[]) AS d (user_id, conversation_id, seq)
             WHERE n.user_id = d.user_id AND n.conversation_id = d.conversation_id AND n.seq = d.seq`,
      values: [
        done.map(({ userId }) => userId),
        done.map(({ conversationId }) => conversationId),
        done.map(({ seq }) => seq),
      ],
    });
  }
}
