import { Injectable } from '@nestjs/common';
import { messageColumns, messageVisibleTo, type MessageRow } from '../conversations/index.js';
import { isPastComplete, pastColumns, Sql, type DatabasePast } from '../database/index.js';
import { changedSql, conversationOfWalk, maxListed, walkOf, type Walk } from './sync.walk.js';

/** The moment a sync describes. */
export interface SyncSnapshot extends DatabasePast {
  /** As Postgres writes it: `xmin:xmax:xip,...`. */
  snapshot: string;
}

/** Which things: changed by a transaction from `sinceXid` on, after a place, at most `limit`. */
export interface SyncQuestion {
  userId: string;
  sinceXid: number;
  /** Looked at alone, see {@link SyncRepository.changed}; null: all of the user's. */
  conversationIds: readonly string[] | null;
  after: readonly [conversationId: string, second: string | number] | null;
  limit: number;
}

export interface ReceiptRow {
  conversationId: string;
  userId: string;
  deliveredSeq: number;
  readSeq: number;
  deliveredAt: Date | null;
  readAt: Date | null;
  [column: string]: unknown;
}

export interface HiddenRow {
  conversationId: string;
  messageId: string;
  seq: number;
  [column: string]: unknown;
}

/** A message that changed; `isGone`: it has expired, and is to be seen no longer. */
export type SyncMessageRow = MessageRow & { is_gone: boolean };

// Before every id there is.
const firstId = '00000000-0000-0000-0000-000000000000';

// Within a conversation the order of `rev` is that of commits. So below the first change, counted
// from the end, whose transaction is older than `sinceXid`, everything was visible at that
// position: the scan backwards stops there, and reads what changed, not what exists. What is not
// visible in the pass' own snapshot belongs to the next sync: a message that changes between two
// pages has moved up, and would come twice.
const messagesSql = ({ from, id }: Walk) => `
  SELECT ${messageColumns('m')}, m.expires_at IS NOT NULL AND m.expires_at <= now() AS is_gone
  FROM ${from} ${conversationOfWalk}
  CROSS JOIN LATERAL (
    SELECT CASE WHEN p.conversation_id = $3::uuid THEN $4::bigint
                WHEN $2::bigint = 0 THEN 0
                ELSE coalesce((SELECT k.rev FROM messages k
                               WHERE k.conversation_id = p.conversation_id AND k.changed_xid < $2
                               ORDER BY k.rev DESC LIMIT 1), 0) END AS rev
  ) known
  CROSS JOIN LATERAL (
    SELECT * FROM messages m
    WHERE m.conversation_id = p.conversation_id AND m.rev > known.rev AND m.seq > p.joined_seq
      AND pg_visible_in_snapshot(m.changed_xid::text::xid8, $5::pg_snapshot)
      AND (${messageVisibleTo('m', 'p')} OR ($2 > 0 AND m.expires_at <= now()))
    ORDER BY m.rev LIMIT $6
  ) m
  WHERE p.user_id = $1 AND p.left_at IS NULL AND p.conversation_id >= $3 AND c.changed_xid >= $2
  ORDER BY ${id}, m.rev LIMIT $6`;

/**
 * Reads what changed for a user. Everything keyed by what never changes, but messages: see there.
 */
@Injectable()
export class SyncRepository {
  constructor(private readonly sql: Sql) {}

  async now(): Promise<SyncSnapshot> {
    const [row] = await this.sql.rows<SyncSnapshot & { [column: string]: unknown }>({
      name: 'sync-now',
      text: `SELECT pg_current_snapshot()::text AS snapshot, ${pastColumns}`,
    });
    return isPastComplete(row!) ? row! : this.now();
  }

  /**
   * The conversations in which anything changed that the user is to hear of; by
   * `user_activity_until` and `hidden_messages_changed`, and primary keys.
   *
   * @returns null: more than {@link maxListed}
   */
  async changed(userId: string, sinceXid: number): Promise<string[] | null> {
    const rows = await this.sql.rows<{ id: string }>({
      name: 'sync-changed',
      text: changedSql,
      values: [userId, sinceXid],
    });
    return rows.length > maxListed ? null : [...new Set(rows.map(({ id }) => id))];
  }

  /** Conversations the user is in no longer. */
  async removed({ userId, sinceXid, conversationIds, after, limit }: SyncQuestion): Promise<string[]> {
    const { name, from, id, values } = walkOf(conversationIds, 4);
    const rows = await this.sql.rows<{ id: string }>({
      name: `sync-removed-${name}`,
      text: `SELECT ${id} AS id FROM ${from}
             WHERE p.user_id = $1 AND p.left_at IS NOT NULL AND p.changed_xid >= $2 AND p.conversation_id > $3
             ORDER BY ${id} LIMIT $4`,
      values: [userId, sinceXid, after?.[0] ?? firstId, limit, ...values],
    });
    return rows.map(({ id }) => id);
  }

  /** Conversations that changed, or the user's part in them, or in which he hid a message. */
  async conversations({ userId, sinceXid, conversationIds, after, limit }: SyncQuestion): Promise<string[]> {
    const { name, from, id, values } = walkOf(conversationIds, 4);
    const rows = await this.sql.rows<{ id: string }>({
      name: `sync-conversations-${name}`,
      text: `SELECT ${id} AS id FROM ${from} ${conversationOfWalk}
             WHERE p.user_id = $1 AND p.left_at IS NULL AND p.conversation_id > $3
               AND (c.changed_xid >= $2 OR p.changed_xid >= $2 OR p.sight_xid >= $2 OR p.conversation_id IN (
                 SELECT h.conversation_id FROM hidden_messages h WHERE h.user_id = $1 AND h.changed_xid >= $2))
             ORDER BY ${id} LIMIT $4`,
      values: [userId, sinceXid, after?.[0] ?? firstId, limit, ...values],
    });
    return rows.map(({ id }) => id);
  }

  /** Messages in their present state, by conversation and rev; by `messages_rev`. */
  messages(question: SyncQuestion, snapshot: string): Promise<SyncMessageRow[]> {
    const { userId, sinceXid, conversationIds, after, limit } = question;
    const walk = walkOf(conversationIds, 6);
    return this.sql.rows<SyncMessageRow>({
      name: `sync-messages-${walk.name}`,
      text: messagesSql(walk),
      values: [userId, sinceXid, after?.[0] ?? firstId, after?.[1] ?? 0, snapshot, limit, ...walk.values],
    });
  }

  /** Messages the user hid; by `hidden_messages_changed`. */
  hidden({ userId, sinceXid, after, limit }: SyncQuestion): Promise<HiddenRow[]> {
    return this.sql.rows<HiddenRow>({
      name: 'sync-hidden',
      text: `SELECT h.conversation_id AS "conversationId", h.message_id AS "messageId", h.seq
             FROM hidden_messages h
             JOIN participants p ON p.conversation_id = h.conversation_id AND p.user_id = h.user_id
             WHERE h.user_id = $1 AND h.changed_xid >= $2 AND p.left_at IS NULL AND h.seq > p.joined_seq
               AND (h.conversation_id, h.seq) > ($3::uuid, $4::bigint)
             ORDER BY h.conversation_id, h.seq LIMIT $5`,
      values: [userId, sinceXid, after?.[0] ?? firstId, after?.[1] ?? 0, limit],
    });
  }

  /** Cursors of all participants of the user's conversations; by the primary key. */
  receipts({ userId, sinceXid, conversationIds, after, limit }: SyncQuestion): Promise<ReceiptRow[]> {
    const { name, from, id, values } = walkOf(conversationIds, 5);
    return this.sql.rows<ReceiptRow>({
      name: `sync-receipts-${name}`,
      text: `SELECT o.conversation_id AS "conversationId", o.user_id AS "userId", o.delivered_seq AS "deliveredSeq",
                    o.read_seq AS "readSeq", o.delivered_at AS "deliveredAt", o.read_at AS "readAt"
             FROM ${from} CROSS JOIN LATERAL (
               SELECT * FROM participants o
               WHERE o.conversation_id = p.conversation_id AND o.left_at IS NULL
                 AND (o.changed_xid >= $2 OR p.sight_xid >= $2)
                 AND (o.delivered_at IS NOT NULL OR o.read_at IS NOT NULL) OFFSET 0
             ) o
             WHERE p.user_id = $1 AND p.left_at IS NULL AND p.conversation_id >= $3
               AND (o.conversation_id, o.user_id) > ($3::uuid, $4::text)
             ORDER BY ${id}, o.user_id LIMIT $5`,
      values: [userId, sinceXid, after?.[0] ?? firstId, after?.[1] ?? '', limit, ...values],
    });
  }
}
