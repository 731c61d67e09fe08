import { Injectable } from '@nestjs/common';
import { messageColumns, messagesNoticeKind, toMessage, type MessageRow } from '../conversations/index.js';
import { Sql } from '../database/index.js';
import { deletionChange } from './deletion.event.js';
import type { MessageChange } from './message-change.js';

/** How far a conversation has come while this node was not listening. */
export interface ConversationProgress {
  conversationId: string;
  version: number;
  lastRev: number;
  /** The rev before the first change of the time in question. */
  revBefore: number;
  [column: string]: unknown;
}

interface ChangedRow extends MessageRow {
  deletedBy: string | null;
  /** Where in the range it was sent and edited; null: not there. */
  sentPlace: number | null;
  editedPlace: number | null;
  hiddenFrom: string[];
}

interface ReactionRow {
  conversationId: string;
  messageId: string;
  rev: number;
  userId: string;
  emoji: string;
  removed: boolean;
  seq: number;
  hiddenFrom: string[];
  [column: string]: unknown;
}

// Who has deleted the message for himself; by the primary keys of participants and hidden_messages.
const hiddenFromSql = `
  ARRAY (SELECT h.user_id FROM participants o
           JOIN hidden_messages h ON h.user_id = o.user_id AND h.conversation_id = m.conversation_id AND h.seq = m.seq
           WHERE o.conversation_id = m.conversation_id)`;

// Sent or edited in the range. A later change may have moved `rev` beyond it, and says nothing of
// what was missed here.
const isWholeSql = `(coalesce(m.sent_rev, m.rev) > $2 AND coalesce(m.sent_rev, m.rev) <= $3
                     OR m.edited_rev > $2 AND m.edited_rev <= $3)`;

const changedMessagesSql = `
  SELECT ${messageColumns('m')}, m.deleted_by AS "deletedBy",
         CASE WHEN coalesce(m.sent_rev, m.rev) > $2 THEN coalesce(m.sent_rev, m.rev) END AS "sentPlace",
         CASE WHEN m.edited_rev > $2 AND m.edited_rev <= $3 THEN m.edited_rev END AS "editedPlace",
         ${hiddenFromSql} AS "hiddenFrom"
  FROM messages m
  WHERE m.conversation_id = $1 AND m.rev > $2
    AND CASE WHEN m.deleted_at IS NOT NULL THEN m.rev <= $3
             ELSE ${isWholeSql} AND (m.expires_at IS NULL OR m.expires_at > clock_timestamp()) END`;

const changedReactionsSql = `
  SELECT r.conversation_id AS "conversationId", r.message_id AS "messageId", r.rev, r.user_id AS "userId", r.emoji,
         r.removed, m.seq, ${hiddenFromSql} AS "hiddenFrom"
  FROM reactions r JOIN messages m ON m.id = r.message_id
  WHERE r.conversation_id = $1 AND r.rev > $2 AND r.rev <= $3 AND m.deleted_at IS NULL
    AND (m.expires_at IS NULL OR m.expires_at > clock_timestamp())`;

/** Reads committed changes back, for nodes that were not told. */
@Injectable()
export class MessageChangeRepository {
  constructor(private readonly sql: Sql) {}

  /**
   * What happened to a conversation's messages in (above, upTo], in order of rev; by `messages_rev`
   * and `reactions_rev`.
   *
   * A message sent, edited or deleted there comes in its present state, which may be of a later
   * rev: where it was sent, so that news are in order of seq, and again where it was edited, for
   * who had it before. Reactions come by themselves, each in its present state, for the same
   * reason: a device may have the message and lack what came after.
   */
  async between(conversationId: string, above: number, upTo: number): Promise<MessageChange[]> {
    const range = [conversationId, above, upTo];
    const [messages, reactions] = await Promise.all([
      this.sql.rows<ChangedRow>(changedMessagesSql, range),
      this.sql.rows<ReactionRow>(changedReactionsSql, range),
    ]);
    return [...messages.flatMap(asChanges), ...reactions.map(asReaction)].sort((a, b) => a.rev - b.rev);
  }

  /**
   * The lowest rev below `rev` of a conversation that stands in the outbox, or else `rev`. A scan
   * of the outbox, which is almost always almost empty.
   */
  async lowestUnannounced(conversationId: string, rev: number): Promise<number> {
    const [row] = await this.sql.rows<{ lowest: number }>(
      `SELECT least(min((n -> 'payload' ->> 'fromRev')::bigint), $2::bigint) AS lowest
       FROM outbox o CROSS JOIN json_array_elements(o.notices) AS n
       WHERE n ->> 'kind' = $3 AND n -> 'payload' ->> 'conversationId' = $1`,
      [conversationId, rev, messagesNoticeKind],
    );
    return row!.lowest;
  }

  /**
   * Conversations of these users that changed within the last `awayMs` (and a margin); by
   * `participants_user`.
   *
   * Edits, deletions and reactions leave `updated_at` alone: the conversation's last change, found
   * by its rev, says when.
   */
  conversationsChanged(userIds: string[], awayMs: number): Promise<ConversationProgress[]> {
    return this.sql.rows<ConversationProgress>(
      `WITH t AS (SELECT clock_timestamp() - make_interval(secs => $2) AS since), changed AS (
         SELECT DISTINCT c.id, c.participants_version, c.last_rev
         FROM t CROSS JOIN participants p JOIN conversations c ON c.id = p.conversation_id
         WHERE p.user_id = ANY ($1) AND p.left_at IS NULL
           AND (c.updated_at > t.since
                OR EXISTS (SELECT 1 FROM messages m WHERE m.conversation_id = c.id AND m.rev = c.last_rev
                           AND greatest(m.edited_at, m.deleted_at) > t.since)
                OR EXISTS (SELECT 1 FROM reactions r WHERE r.conversation_id = c.id AND r.rev = c.last_rev
                           AND r.changed_at > t.since)))
       SELECT c.id AS "conversationId", c.participants_version AS version, c.last_rev AS "lastRev",
              coalesce(least(
                (SELECT min(least(CASE WHEN m.created_at > t.since THEN coalesce(m.sent_rev, m.rev) END,
                                  CASE WHEN m.edited_at > t.since THEN m.edited_rev END,
                                  CASE WHEN m.deleted_at > t.since THEN m.rev END)) - 1
                 FROM messages m WHERE m.conversation_id = c.id AND m.rev > c.last_rev - 1000),
                (SELECT min(r.rev) - 1 FROM reactions r WHERE r.conversation_id = c.id
                        AND r.changed_at > t.since
                        AND r.rev > c.last_rev - 1000)), c.last_rev) AS "revBefore"
       FROM changed c CROSS JOIN t`,
      [userIds, awayMs / 1_000 + 5],
    );
  }
}

function asChanges(row: ChangedRow): MessageChange[] {
  const message = toMessage(row);
  const { id, conversationId, seq, rev, deletedAt } = message;
  if (deletedAt !== null) return [deletionChange(conversationId, { id, seq, rev, deletedAt }, row.deletedBy)];
  const changes: MessageChange[] = [];
  const common = { seq, exceptConnectionId: null, hiddenFrom: row.hiddenFrom, payload: message };
  if (row.sentPlace !== null) changes.push({ ...common, rev: row.sentPlace, event: 'new-message' });
  if (row.editedPlace !== null) changes.push({ ...common, rev: row.editedPlace, event: 'message-edited' });
  return changes;
}

function asReaction({ seq, hiddenFrom, removed, ...reaction }: ReactionRow): MessageChange {
  const payload = { ...reaction, added: !removed };
  return { rev: reaction.rev, seq, exceptConnectionId: null, hiddenFrom, event: 'reaction-changed', payload };
}
