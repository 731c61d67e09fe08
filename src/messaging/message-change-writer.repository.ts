import { Injectable } from '@nestjs/common';
import type { ConversationKind, Message, Role } from '../common/index.js';
import { messageColumns, messageVisibleTo, toMessage, type MessageRow } from '../conversations/index.js';
import { Sql, type SqlRunner } from '../database/index.js';

/**
 * A place in a conversation's order of changes that nobody else can take while its row is locked.
 */
export interface ChangePlace {
  conversationId: string;
  /** The membership the change is committed under. */
  version: number;
  /** The rev of the next change. */
  nextRev: number;
}

/** A message as one participant may act on it. */
export interface MessageTarget extends ChangePlace {
  message: Message;
  kind: ConversationKind;
  /** The participant's own. */
  role: Role;
  /** By the database's clock. */
  ageSeconds: number;
  /** Direct conversation: one of the two has blocked the other. */
  isBlocked: boolean;
  /** Who has deleted it for himself. */
  hiddenFrom: string[];
}

type TargetRow = MessageRow & Omit<MessageTarget, 'message' | 'conversationId'>;

// By messages_id and primary keys. The transaction's own time may lie before a wait for the lock:
// hence the second clock.
const targetSql = `
  SELECT ${messageColumns('m')}, c.kind, c.participants_version AS version, c.last_rev + 1 AS "nextRev", p.role,
         extract(epoch FROM clock_timestamp() - m.created_at)::float8 AS "ageSeconds",
         c.kind = 'direct' AND EXISTS (
           SELECT 1 FROM participants o
             JOIN blocks b ON (b.user_id = o.user_id AND b.blocked_id = p.user_id)
                           OR (b.user_id = p.user_id AND b.blocked_id = o.user_id)
             WHERE o.conversation_id = c.id AND o.user_id <> p.user_id) AS "isBlocked",
         ARRAY (SELECT h.user_id FROM participants o
                  JOIN hidden_messages h ON h.user_id = o.user_id AND h.conversation_id = m.conversation_id AND h.seq = m.seq
                  WHERE o.conversation_id = m.conversation_id) AS "hiddenFrom"
  FROM messages m
  JOIN conversations c ON c.id = m.conversation_id
  JOIN participants p ON p.conversation_id = m.conversation_id AND p.user_id = $2 AND p.left_at IS NULL
  WHERE m.id = $1 AND ${messageVisibleTo('m', 'p')} AND (m.expires_at IS NULL OR m.expires_at > clock_timestamp())`;

/**
 * What every change of an existing message needs: the lock, the message as it is, and the
 * conversation's counter.
 */
@Injectable()
export class MessageChangeWriterRepository {
  constructor(private readonly sql: Sql) {}

  /**
   * Reads a message a participant can see. Null: no such message, or none he may know of; nobody
   * can tell which.
   *
   * @param runner an open transaction, where the answer must hold until its end (then {@link
   *   lockOf} first)
   */
  async target(messageId: string, userId: string, runner: SqlRunner = this.sql): Promise<MessageTarget | null> {
    const [row] = await runner.rows<TargetRow>({
      name: 'message-target',
      text: targetSql,
      values: [messageId, userId],
    });
    if (!row) return null;
    const { version, nextRev, kind, role, ageSeconds, isBlocked, hiddenFrom } = row;
    const message = toMessage(row);
    return {
      conversationId: message.conversationId,
      version,
      nextRev,
      message,
      kind,
      role,
      ageSeconds,
      isBlocked,
      hiddenFrom,
    };
  }

  /** Locks a message's conversation, as `append_messages` does; a stranger locks nothing. */
  async lockOf(tx: SqlRunner, messageId: string, userId: string): Promise<void> {
    await tx.rows({
      name: 'message-conversation-lock',
      text: `SELECT 1 FROM conversations
             WHERE id = (SELECT m.conversation_id FROM messages m
                           JOIN participants p ON p.conversation_id = m.conversation_id AND p.user_id = $2
                                               AND p.left_at IS NULL
                           WHERE m.id = $1)
             FOR NO KEY UPDATE`,
      values: [messageId, userId],
    });
  }

  /**
   * Locks conversations the same way, in order of id, as everybody does who locks several.
   *
   * @param isPatient whether to wait for those that others hold; else they are left out
   */
  lock(tx: SqlRunner, conversationIds: readonly string[], isPatient: boolean): Promise<ChangePlace[]> {
    return tx.rows<ChangePlace & { [column: string]: unknown }>({
      name: isPatient ? 'conversations-lock' : 'conversations-lock-free',
      text: `SELECT id AS "conversationId", participants_version AS version, last_rev + 1 AS "nextRev" FROM conversations
             WHERE id = ANY ($1::uuid[]) ORDER BY id FOR NO KEY UPDATE ${isPatient ? '' : 'SKIP LOCKED'}`,
      values: [conversationIds],
    });
  }

  /**
   * Moves conversations' counters. Not their `updatedAt`: the list of conversations is not sorted
   * by edits.
   */
  async bump(tx: SqlRunner, conversationIds: readonly string[], revs: readonly number[]): Promise<void> {
    await tx.rows({
      name: 'conversations-bump',
      text: `UPDATE conversations c SET last_rev = t.rev, changed_xid = current_xid()
             FROM unnest($1::uuid[], $2::bigint[]) AS t (id, rev) WHERE c.id = t.id`,
      values: [conversationIds, revs],
    });
  }
}

/** SQL: what every change of a message sets. @param rev SQL of the change's place */
export function revisedColumns(rev: string): string {
  return `rev = ${rev}, sent_rev = coalesce(m.sent_rev, m.rev), changed_xid = current_xid()`;
}
