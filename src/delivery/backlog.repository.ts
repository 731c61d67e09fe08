import { Injectable } from '@nestjs/common';
import type { Message } from '../common/index.js';
import { messageColumns, messageVisibleTo, toMessage, type MessageRow } from '../conversations/index.js';
import { Sql } from '../database/index.js';

const pageSize = 100;
// A page of large messages stays below this and one message.
const maxPageBytes = 262_144;

/** Which part of a backlog to read. */
export interface BacklogQuestion {
  userId: string;
  conversationId: string;
  /** The device has these: their changes are told; later ones are new to it. */
  hadSeq: number;
  /** Changes up to this are known. */
  knownRev: number;
  /** Where the reading of changes goes on: changes of messages whose last rev is above. */
  aboveRev: number;
  /** Where the reading of new messages goes on. */
  aboveSeq: number;
}

/** What happened to a message the device has, in its present state. */
export interface MissedChange {
  event: 'message-edited' | 'message-deleted' | 'reaction-changed';
  rev: number;
  payload: unknown;
}

/** One page, from one snapshot. */
export interface BacklogPage {
  lastSeq: number;
  lastRev: number;
  /** In order of rev. */
  changes: MissedChange[];
  /** Where the changes of this page end; null: with it all changes are told. */
  changesUpTo: number | null;
  /** In order of seq; may be empty while there are changes left. */
  messages: Message[];
  /**
   * What happened to each of them since it was sent: for the connection that sent it, and has its
   * ack.
   */
  changesSinceSent: MissedChange[][];
  /** Where the messages of this page end; null: with it all messages are told. */
  messagesUpTo: number | null;
  /** About, of the contents. */
  bytes: number;
}

type ChangedRow = MessageRow & {
  deleted_by: string | null;
  was_edited: boolean;
  reactions_since: { rev: number; userId: string; emoji: string; removed: boolean }[] | null;
};

interface PageRow {
  ordinal: number;
  lastSeq: number;
  lastRev: number;
  changes: ChangedRow[];
  changesFound: number;
  messages: ChangedRow[];
  messagesFound: number;
  bytes: number;
  [column: string]: unknown;
}

function reactionsSince(rev: string): string {
  return `(SELECT json_agg(json_build_object('rev', r.rev, 'userId', r.user_id, 'emoji', r.emoji,
                                             'removed', r.removed) ORDER BY r.rev)
           FROM reactions r WHERE r.message_id = m.id AND r.rev > ${rev})`;
}

// Only rows that changed after they were sent have a `sent_rev`: what is new is not a change of
// what the device had. A tombstone of an expired message is told to those who had the message,
// though it is to be seen no longer.
const pageSql = `
  SELECT a.ordinal, c.last_seq AS "lastSeq", c.last_rev AS "lastRev", changed.list AS changes,
         changed.found AS "changesFound", fresh.list AS messages, fresh.found AS "messagesFound",
         coalesce(changed.bytes, 0) + coalesce(fresh.bytes, 0) AS bytes
  FROM unnest($1::text[], $2::uuid[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[])
    WITH ORDINALITY AS a (user_id, conversation_id, had_seq, known_rev, above_rev, above_seq, ordinal)
  JOIN participants p ON p.conversation_id = a.conversation_id AND p.user_id = a.user_id AND p.left_at IS NULL
  JOIN conversations c ON c.id = a.conversation_id
  CROSS JOIN LATERAL (
    SELECT coalesce(json_agg(row_to_json(k) ORDER BY k.rev) FILTER (WHERE k.bytes_before < ${maxPageBytes}), '[]') AS list,
           count(*) AS found, max(k.bytes_before)::float8 AS bytes
    FROM (SELECT q.*, coalesce(sum(octet_length(q.content::text)) OVER (
                   ORDER BY q.rev ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) AS bytes_before
          FROM (SELECT ${messageColumns('m')}, m.deleted_by, coalesce(m.edited_rev > a.known_rev, false) AS was_edited,
                       ${reactionsSince('a.known_rev')} AS reactions_since
                FROM messages m
                WHERE m.conversation_id = a.conversation_id AND m.rev > a.above_rev AND m.seq <= a.had_seq
                  AND m.sent_rev IS NOT NULL AND m.seq > p.joined_seq
                  AND (m.deleted_at IS NOT NULL OR ${messageVisibleTo('m', 'p')})
                  AND NOT EXISTS (SELECT 1 FROM hidden_messages h WHERE h.user_id = p.user_id
                                    AND h.conversation_id = m.conversation_id AND h.seq = m.seq)
                ORDER BY m.rev LIMIT ${pageSize}) q) k
  ) changed
  CROSS JOIN LATERAL (
    SELECT coalesce(json_agg(row_to_json(k) ORDER BY k.seq) FILTER (WHERE k.bytes_before < ${maxPageBytes}), '[]') AS list,
           count(*) AS found, max(k.bytes_before)::float8 AS bytes
    FROM (SELECT q.*, coalesce(sum(octet_length(q.content::text)) OVER (
                   ORDER BY q.seq ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) AS bytes_before
          FROM (SELECT ${messageColumns('m')}, m.deleted_by, m.edited_rev IS NOT NULL AS was_edited,
                       CASE WHEN m.sent_rev IS NOT NULL THEN ${reactionsSince('m.sent_rev')} END AS reactions_since
                FROM messages m
                WHERE m.conversation_id = a.conversation_id AND m.seq > a.above_seq AND ${messageVisibleTo('m', 'p')}
                ORDER BY m.seq LIMIT ${pageSize}) q) k
  ) fresh
  ORDER BY a.ordinal`;

/** Reads what devices have missed. */
@Injectable()
export class BacklogRepository {
  constructor(private readonly sql: Sql) {}

  /**
   * One page per question, in one statement; by `messages_rev` and the primary keys, as long as the
   * pages are.
   *
   * @returns null for who does not take part
   */
  async pages(questions: readonly BacklogQuestion[]): Promise<(BacklogPage | null)[]> {
    const rows = await this.sql.rows<PageRow>({
      name: 'backlog-pages',
      text: pageSql,
      values: [
        questions.map(({ userId }) => userId),
        questions.map(({ conversationId }) => conversationId),
        questions.map(({ hadSeq }) => hadSeq),
        questions.map(({ knownRev }) => knownRev),
        questions.map(({ aboveRev }) => aboveRev),
        questions.map(({ aboveSeq }) => aboveSeq),
      ],
    });
    const answers = questions.map((): BacklogPage | null => null);
    for (const row of rows) answers[row.ordinal - 1] = toPage(row);
    return answers;
  }
}

function toPage(row: PageRow): BacklogPage {
  const { lastSeq, lastRev, bytes } = row;
  const hasMoreChanges = row.changesFound === pageSize || row.changes.length < row.changesFound;
  const hasMoreMessages = row.messagesFound === pageSize || row.messages.length < row.messagesFound;
  return {
    lastSeq,
    lastRev,
    changes: row.changes.flatMap(toChanges),
    changesUpTo: hasMoreChanges ? row.changes.at(-1)!.rev : null,
    // New messages come after all changes of what the device had.
    messages: hasMoreChanges ? [] : row.messages.map(toMessage),
    changesSinceSent: hasMoreChanges ? [] : row.messages.map(toChanges),
    messagesUpTo: hasMoreMessages ? row.messages.at(-1)!.seq : null,
    bytes,
  };
}

/** An edit shows the reactions, too; without one each reaction is told by itself. */
function toChanges(row: ChangedRow): MissedChange[] {
  const message = toMessage(row);
  const { id: messageId, conversationId, seq, rev, deletedAt } = message;
  if (deletedAt !== null) {
    const payload = { conversationId, messageId, seq, rev, deletedBy: row.deleted_by, deletedAt, scope: 'everyone' };
    return [{ event: 'message-deleted', rev, payload }];
  }
  if (row.was_edited) return [{ event: 'message-edited', rev, payload: message }];
  return (row.reactions_since ?? []).map(({ rev: reactionRev, userId, emoji, removed }) => ({
    event: 'reaction-changed' as const,
    rev: reactionRev,
    payload: { conversationId, messageId, rev: reactionRev, userId, emoji, added: !removed },
  }));
}
