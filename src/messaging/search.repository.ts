import { Injectable } from '@nestjs/common';
import type { Message } from '../common/index.js';
import { messageColumns, messageVisibleTo, toMessage, type MessageRow } from '../conversations/index.js';
import { Sql } from '../database/index.js';

/** A place among found messages: newest first, ties by conversation and seq. */
export interface SearchKey {
  createdAtMs: number;
  conversationId: string;
  seq: number;
}

const visible = `m.deleted_at IS NULL AND ${messageVisibleTo('m', 'p')}`;

// A query without a word that must occur ("", "-x") has no query tree ('' or 'T'): it would find everything.
const hasWords = `querytree(websearch_to_tsquery('simple', $2)) NOT IN ('', 'T')`;

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
 * Full-text search. Words as they stand, in any case: languages are not known, so nothing is stemmed and no word is
 * too common.
 */
@Injectable()
export class SearchRepository {
  constructor(private readonly sql: Sql) {}

  /**
   * In one conversation: the newest messages one by one, which finds a page of common words soon; rarer ones through
   * `messages_search`, which knows the conversation, too. (Postgres, left to choose, sorts a million hits: 4.7 s.)
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

  /** In all of the user's conversations; by `messages_search`, or where he has little to read, by what he can read. */
  async everywhere(userId: string, q: string, after: SearchKey | null, limit: number): Promise<Message[]> {
    const rows = await this.sql.rows<MessageRow>(
      `SELECT ${messageColumns('m')}
       FROM messages m JOIN participants p ON p.conversation_id = m.conversation_id
       WHERE p.user_id = $1 AND p.left_at IS NULL AND ${hasWords} AND ${visible}
         AND ($3::bigint IS NULL OR (m.created_at, m.conversation_id, m.seq)
              < (timestamptz 'epoch' + $3 * interval '1 millisecond', $4::uuid, $5::bigint))
         AND message_search_vector(m.conversation_id, m.content) @@ websearch_to_tsquery('simple', $2)
       ORDER BY m.created_at DESC, m.conversation_id DESC, m.seq DESC LIMIT $6`,
      [userId, q, after?.createdAtMs ?? null, after?.conversationId ?? null, after?.seq ?? null, limit],
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
