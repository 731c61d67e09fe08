import { Injectable } from '@nestjs/common';
import { Sql } from '../database/index.js';
import type { AppendRow, PendingMessage } from './message-draft.js';

const appendStatement = `
  SELECT ordinal, outcome, message_id AS "messageId", seq, rev, created_at AS "createdAt", expires_at AS "expiresAt",
         participants_version AS "participantsVersion", outbox_id AS "outboxId"
  FROM append_messages($1, $2, $3, $4)`;

/** Appends batches of messages: one statement, one commit. */
@Injectable()
export class MessageAppendRepository {
  constructor(private readonly sql: Sql) {}

  /**
   * Appends a batch, all or nothing; each message gets its own verdict.
   *
   * Carried by the primary keys of conversations and participants and by `messages_client_message_id`.
   * Waits 300 ms for a conversation another transaction holds, then nothing of the batch is stored (`isLockTimeout`).
   *
   * @param announcedIds outbox rows that have been announced and can go
   * @returns one row per message, in order
   */
  append(nodeId: string, announcedIds: number[], batch: readonly PendingMessage[]): Promise<AppendRow[]> {
    return this.sql.rows<AppendRow & { [column: string]: unknown }>({
      name: 'append-messages',
      text: appendStatement,
      values: [nodeId, announcedIds, [...new Set(batch.map((message) => message.conversationId))], batchJson(batch)],
    });
  }

  /** Those of these conversations that nobody holds at this moment; by their primary key. */
  async unlocked(conversationIds: string[]): Promise<string[]> {
    const rows = await this.sql.rows<{ id: string }>(
      'SELECT id FROM conversations WHERE id = ANY ($1::uuid[]) FOR NO KEY UPDATE SKIP LOCKED',
      [conversationIds],
    );
    return rows.map(({ id }) => id);
  }
}

/** The batch as one JSON text: arrays of columns cost Node ten times as much to encode. `contentJson` goes in as it is. */
function batchJson(batch: readonly PendingMessage[]): string {
  return `[${batch.map(rowJson).join(',')}]`;
}

function rowJson(message: PendingMessage): string {
  const head = JSON.stringify({
    id: message.id,
    conversation_id: message.conversationId,
    sender_id: message.senderId,
    client_message_id: message.clientMessageId,
    fingerprint: message.fingerprint,
    type: message.type,
    reply_to: message.replyTo,
    mentions: message.mentions,
    expires_in_seconds: message.expiresInSeconds,
  });
  return `${head.slice(0, -1)},"content":${message.contentJson}}`;
}
