import { Injectable } from '@nestjs/common';
import { Sql, type Statement } from '../database/index.js';
import { AppendedMessage, type AppendOutcome, type AppendRow, type PendingMessage } from './message-draft.js';

/** A verdict as `append_messages` gives it; times are unix milliseconds. */
type Verdict = [
  outcome: AppendOutcome,
  firstId: string | null,
  seq: number | null,
  rev: number | null,
  participantsVersion: number,
  expiresAtMs: number | null,
  hasAccepted: boolean,
];

interface Verdicts {
  verdicts: Verdict[];
  createdAtMs: number;
  outboxId: number | null;
  [column: string]: unknown;
}

// One JSON text in each direction: columns of rows cost Node three times as much to read.
const appendStatement = `
  SELECT json_agg(json_build_array(
           outcome, CASE WHEN outcome IN ('duplicate', 'conflict') THEN message_id END, seq, rev, participants_version,
           (extract(epoch FROM expires_at) * 1000)::bigint, has_accepted)) AS verdicts,
         (extract(epoch FROM min(created_at)) * 1000)::bigint AS "createdAtMs",
         max(outbox_id) AS "outboxId"
  FROM append_messages($1, $2, $3, $4)`;

// Setting up the statement for a batch is most of what a single message costs: this one takes a
// third less of Postgres.
const appendOneStatement = `
  SELECT json_build_array(json_build_array(
           outcome, CASE WHEN outcome IN ('duplicate', 'conflict') THEN first_id END, seq, rev, participants_version,
           (extract(epoch FROM expires_at) * 1000)::bigint, has_accepted)) AS verdicts,
         (extract(epoch FROM created_at) * 1000)::bigint AS "createdAtMs",
         outbox_id AS "outboxId"
  FROM append_message($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)`;

/** Appends batches of messages: one statement, one commit. */
@Injectable()
export class MessageAppendRepository {
  constructor(private readonly sql: Sql) {}

  /**
   * Appends a batch, all or nothing; each message gets its own verdict.
   *
   * Carried by the primary keys of conversations and participants and by
   * `messages_client_message_id`. Waits 300 ms for a conversation another transaction holds, then
   * nothing of the batch is stored (`isLockTimeout`).
   *
   * @param announcedIds outbox rows that have been announced and can go
   * @returns one row per message, in order
   */
  async append(nodeId: string, announcedIds: number[], batch: readonly PendingMessage[]): Promise<AppendRow[]> {
    const statement =
      batch.length === 1 ? oneStatement(nodeId, announcedIds, batch[0]!) : batchStatement(nodeId, announcedIds, batch);
    const [answer] = await this.sql.rows<Verdicts>(statement);
    return answer!.verdicts.map((verdict, i) => appendRow(batch[i]!, verdict, answer!));
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

function batchStatement(nodeId: string, announcedIds: number[], batch: readonly PendingMessage[]): Statement {
  const conversationIds = [...new Set(batch.map((message) => message.conversationId))];
  const values = [nodeId, announcedIds, conversationIds, batchJson(batch)];
  return { name: 'append-messages', text: appendStatement, values };
}

function oneStatement(nodeId: string, announcedIds: number[], message: PendingMessage): Statement {
  const { id, conversationId, senderId, clientMessageId, fingerprint, type, contentJson } = message;
  const { replyTo, mentions, expiresInSeconds } = message;
  return {
    name: 'append-message',
    text: appendOneStatement,
    values: [
      nodeId,
      announcedIds,
      ...[id, conversationId, senderId, clientMessageId, fingerprint, type, contentJson],
      ...[replyTo, mentions, expiresInSeconds],
    ],
  };
}

function appendRow(
  pending: PendingMessage,
  [outcome, firstId, seq, rev, participantsVersion, expiresAtMs, hasAccepted]: Verdict,
  { createdAtMs, outboxId }: Verdicts,
): AppendRow {
  const place = { seq: seq!, rev: rev!, createdAtMs, expiresAtMs };
  const message = outcome === 'appended' ? new AppendedMessage(pending, place) : null;
  return { outcome, message, firstId, participantsVersion, outboxId, hasAccepted };
}

/**
 * The batch as one JSON text: arrays of columns cost Node ten times as much to encode.
 * `contentJson` goes in as it is.
 */
function batchJson(batch: readonly PendingMessage[]): string {
  return `[${batch.map(rowJson).join(',')}]`;
}

/**
 * What is null is left out: Postgres reads it as null, and has less to read. Ids need no escapes.
 */
function rowJson(message: PendingMessage): string {
  const { clientMessageId, fingerprint, replyTo, mentions, expiresInSeconds } = message;
  return (
    `{"id":"${message.id}","conversation_id":"${message.conversationId}","sender_id":${JSON.stringify(message.senderId)},` +
    (clientMessageId === null ? '' : `"client_message_id":${JSON.stringify(clientMessageId)},`) +
    (fingerprint === null ? '' : `"fingerprint":${JSON.stringify(fingerprint)},`) +
    (replyTo === null ? '' : `"reply_to":"${replyTo}",`) +
    (expiresInSeconds === null ? '' : `"expires_in_seconds":${expiresInSeconds},`) +
    `"mentions":${JSON.stringify(mentions)},"type":${JSON.stringify(message.type)},"content":${message.contentJson}}`
  );
}
