import { Injectable } from '@nestjs/common';
import type { Message } from '../common/index.js';
import { messageColumns, toMessage, type MessageRow } from '../conversations/index.js';
import { SlowSql } from '../database/index.js';
import { hasWords, isBehind, keyValues, visible, type SearchKey } from './search.sql.js';

/** One of the user's conversations, and what of it may hold hits: seqs in (afterSeq, beforeSeq). */
export interface ReadableConversation {
  id: string;
  activeAtUs: number;
  afterSeq: number;
  beforeSeq: number;
}

/** Where to look for what. */
export interface SearchScope {
  userId: string;
  q: string;
  after: SearchKey | null;
  conversations: readonly ReadableConversation[];
  limit: number;
}

// Times are Postgres' own and grow with seq, unless its clock was set back.
const clockSlackMs = 10_000;

const readableSql = `
  WITH theirs AS MATERIALIZED (
    SELECT c.id, c.updated_at, c.last_seq, p.joined_seq
    FROM participants p JOIN conversations c ON c.id = p.conversation_id
    WHERE p.user_id = $1 AND p.left_at IS NULL AND c.last_seq > p.joined_seq
      AND ($3::bigint IS NULL OR (c.updated_at, c.id) < (timestamptz 'epoch' + $3 * interval '1 microsecond', $4::uuid))
    ORDER BY c.updated_at DESC, c.id DESC LIMIT $5)
  SELECT t.id, (extract(epoch FROM t.updated_at) * 1000000)::bigint AS "activeAtUs", t.joined_seq AS "afterSeq",
         CASE WHEN $2::bigint IS NULL THEN t.last_seq + 1 ELSE (
           WITH RECURSIVE halving (low, high) AS (
             SELECT t.joined_seq, t.last_seq + 1
             UNION ALL
             SELECT CASE WHEN is_older THEN middle ELSE low END, CASE WHEN is_older THEN high ELSE middle END
             FROM (SELECT low, high, (low + high) / 2 AS middle FROM halving WHERE high - low > 1) h,
                  LATERAL (SELECT coalesce((
                    SELECT w.created_at < timestamptz 'epoch' + $2 * interval '1 millisecond' FROM messages w
                    WHERE w.conversation_id = t.id AND w.seq <= h.middle AND w.seq > t.joined_seq
                    ORDER BY w.seq DESC LIMIT 1), true) AS is_older) o)
           SELECT max(high) FROM halving WHERE high - low <= 1) END AS "beforeSeq"
  FROM theirs t ORDER BY t.updated_at DESC, t.id DESC`;

// $1 user, $2 words, $3 to $5 key, $6 to $8 conversations with their ranges, $9 limit, $10 how many
// to walk.
const newestOfEachSql = `
  SELECT ${messageColumns('m')}
  FROM unnest($6::uuid[], $7::bigint[], $8::bigint[]) AS c (id, after_seq, before_seq)
  JOIN participants p ON p.conversation_id = c.id AND p.user_id = $1 AND p.left_at IS NULL
  CROSS JOIN LATERAL (
    SELECT m.* FROM (
      SELECT * FROM messages w WHERE w.conversation_id = c.id AND w.seq > c.after_seq AND w.seq < c.before_seq
      ORDER BY w.seq DESC LIMIT $10) m
    WHERE ${hasWords} AND ${visible} AND ${isBehind('$3', '$4', '$5')}
      AND message_search_vector(m.conversation_id, m.content) @@ websearch_to_tsquery('simple', $2)
    ORDER BY m.seq DESC LIMIT $9) m`;

const newestByIndexSql = `
  SELECT ${messageColumns('m')}
  FROM messages m
  JOIN unnest($6::uuid[], $7::bigint[], $8::bigint[]) AS c (id, after_seq, before_seq) ON c.id = m.conversation_id
  JOIN participants p ON p.conversation_id = c.id AND p.user_id = $1 AND p.left_at IS NULL
  WHERE ${hasWords} AND ${visible} AND ${isBehind('$3', '$4', '$5')}
    AND message_search_vector(m.conversation_id, m.content) @@ (websearch_to_tsquery('simple', $2) && (
      SELECT string_agg(quote_literal(conversation_lexeme(id)), ' | ') FROM unnest($6::uuid[]) AS t (id))::tsquery)
  ORDER BY m.created_at DESC, m.conversation_id DESC, m.seq DESC LIMIT $9`;

function scopeValues({ userId, q, after, conversations, limit }: SearchScope): unknown[] {
  return [
    userId,
    q,
    ...keyValues(after),
    conversations.map(({ id }) => id),
    conversations.map(({ afterSeq }) => afterSeq),
    conversations.map(({ beforeSeq }) => beforeSeq),
    limit,
  ];
}

/** Looks for words in some of a user's conversations at a time. */
@Injectable()
export class SearchWalkRepository {
  constructor(private readonly sql: SlowSql) {}

  /**
   * The user's conversations, latest active first, each with the range of seqs that may stand
   * behind the key. Where a conversation's times reach the key is found by halving, since seq and
   * time grow together.
   */
  async readable(
    userId: string,
    after: SearchKey | null,
    behind: ReadableConversation | null,
    limit: number,
  ): Promise<ReadableConversation[]> {
    return this.sql.rows<ReadableConversation & { [column: string]: unknown }>(readableSql, [
      userId,
      after === null ? null : after.createdAtMs + clockSlackMs,
      behind?.activeAtUs ?? null,
      behind?.id ?? null,
      limit,
    ]);
  }

  /**
   * In each of these conversations the newest hits among its newest `walked` messages behind the
   * key.
   */
  async newestOfEach(scope: SearchScope, walked: number): Promise<Message[]> {
    const rows = await this.sql.rows<MessageRow>(newestOfEachSql, [...scopeValues(scope), walked]);
    return rows.map(toMessage);
  }

  /** In these conversations together the newest hits behind the key, through `messages_search`. */
  async newestByIndex(scope: SearchScope): Promise<Message[]> {
    const rows = await this.sql.rows<MessageRow>(newestByIndexSql, scopeValues(scope));
    return rows.map(toMessage);
  }
}
