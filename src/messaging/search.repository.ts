import { Injectable } from '@nestjs/common';
import type { Message } from '../common/index.js';
import { messageColumns, toMessage, type MessageRow } from '../conversations/index.js';
import { SlowSql } from '../database/index.js';
import { hasWords, isBehind, keyValues, visible, type SearchKey } from './search.sql.js';

// What is left to the index is then in less than one of twenty messages.
const walkedPerHit = 20;

const amongNewestSql = `
  SELECT ${messageColumns('m')}
  FROM participants p CROSS JOIN LATERAL (
    SELECT * FROM messages w
    WHERE w.conversation_id = $3 AND w.seq < $4 AND w.seq > p.joined_seq ORDER BY w.seq DESC LIMIT $6) m
  WHERE p.user_id = $1 AND p.conversation_id = $3 AND p.left_at IS NULL AND ${hasWords} AND ${visible}
    AND message_search_vector(m.conversation_id, m.content) @@ websearch_to_tsquery('simple', $2)
  ORDER BY m.seq DESC LIMIT $5`;

const byIndexSql = `
  SELECT ${messageColumns('m')}
  FROM messages m JOIN participants p ON p.conversation_id = m.conversation_id
  WHERE p.user_id = $1 AND p.conversation_id = $3 AND p.left_at IS NULL AND ${hasWords}
    AND m.conversation_id = $3 AND m.seq < $4 AND ${visible}
    AND message_search_vector(m.conversation_id, m.content)
        @@ (websearch_to_tsquery('simple', $2) && quote_literal(conversation_lexeme($3))::tsquery)
  ORDER BY m.seq DESC LIMIT $5`;

/**
 * Full-text search. Words as they stand, in any case: languages are not known, so nothing is
 * stemmed and no word is too common.
 */
@Injectable()
export class SearchRepository {
  constructor(private readonly sql: SlowSql) {}

  /**
   * In one conversation: the newest messages one by one, which finds a page of common words soon;
   * rarer ones through `messages_search`, which knows the conversation, too. (Postgres, left to
   * choose, sorts a million hits: 4.7 s.)
   */
  async inConversation(
    userId: string,
    q: string,
    conversationId: string,
    after: SearchKey | null,
    limit: number,
  ): Promise<Message[]> {
    const values = [userId, q, conversationId, after?.seq ?? Number.MAX_SAFE_INTEGER, limit];
    const near = await this.sql.rows<MessageRow>(amongNewestSql, [...values, limit * walkedPerHit]);
    const rows = near.length === limit ? near : await this.sql.rows<MessageRow>(byIndexSql, values);
    return rows.map(toMessage);
  }

  /**
   * How many messages of everybody's hold these words: the planner's guess from its statistics,
   * without a look at them.
   */
  async estimate(q: string): Promise<number> {
    const [row] = await this.sql.rows<{ 'QUERY PLAN': { Plan: { 'Plan Rows': number } }[] }>(
      `EXPLAIN (FORMAT JSON) SELECT 1 FROM messages m WHERE m.deleted_at IS NULL
         AND message_search_vector(m.conversation_id, m.content) @@ websearch_to_tsquery('simple', $1)`,
      [q],
    );
    return row!['QUERY PLAN'][0]!.Plan['Plan Rows'];
  }

  /**
   * In all of the user's conversations, through `messages_search`: for words that few messages
   * hold.
   */
  async everywhere(userId: string, q: string, after: SearchKey | null, limit: number): Promise<Message[]> {
    const rows = await this.sql.rows<MessageRow>(
      `SELECT ${messageColumns('m')}
       FROM messages m JOIN participants p ON p.conversation_id = m.conversation_id
       WHERE p.user_id = $1 AND p.left_at IS NULL AND ${hasWords} AND ${visible} AND ${isBehind('$3', '$4', '$5')}
         AND message_search_vector(m.conversation_id, m.content) @@ websearch_to_tsquery('simple', $2)
       ORDER BY m.created_at DESC, m.conversation_id DESC, m.seq DESC LIMIT $6`,
      [userId, q, ...keyValues(after), limit],
    );
    return rows.map(toMessage);
  }

  /** Moves what has been collected into `messages_search` itself, unless somebody is at it. */
  async sortIn(): Promise<void> {
    await this.sql.rows(
      `SELECT gin_clean_pending_list('messages_search')
       WHERE pg_try_advisory_xact_lock(hashtext('messages_search'))`,
    );
  }
}
