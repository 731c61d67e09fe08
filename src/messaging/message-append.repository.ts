import { Injectable } from '@nestjs/common';
import { Sql } from '../database/index.js';
import type { AppendRow, PendingMessage } from './message-draft.js';

const appendStatement = `
  SELECT ordinal, outcome, message_id AS "messageId", seq, rev, created_at AS "createdAt", expires_at AS "expiresAt",
         participants_version AS "participantsVersion", outbox_id AS "outboxId"
  FROM append_messages($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)`;

/** Appends batches of messages: one statement, one commit. */
@Injectable()
export class MessageAppendRepository {
  constructor(private readonly sql: Sql) {}

  /**
   * Appends a batch, all or nothing; each message gets its own verdict.
   *
   * Carried by the primary keys of conversations and participants and by `messages_client_message_id`.
   *
   * @param announcedIds outbox rows that have been announced and can go
   * @returns one row per message, in order
   */
  append(nodeId: string, announcedIds: number[], batch: readonly PendingMessage[]): Promise<AppendRow[]> {
    return this.sql.rows<AppendRow & { [column: string]: unknown }>({
      name: 'append-messages',
      text: appendStatement,
      values: [
        nodeId,
        announcedIds,
        batch.map((message) => message.id),
        batch.map((message) => message.conversationId),
        batch.map((message) => message.senderId),
        batch.map((message) => message.clientMessageId),
        batch.map((message) => message.fingerprint),
        batch.map((message) => message.type),
        batch.map((message) => message.contentJson),
        batch.map((message) => message.replyTo),
        batch.map((message) => arrayLiteral(message.mentions)),
        batch.map((message) => message.expiresInSeconds),
      ],
    });
  }
}

/** A Postgres array of text as a string, since arrays of arrays must be rectangular. */
function arrayLiteral(items: readonly string[]): string {
  if (items.length === 0) return '{}';
  return `{${items.map((item) => `"${item.replace(/[\\"]/g, '\\$&')}"`).join(',')}}`;
}
