import { Injectable } from '@nestjs/common';
import { Sql } from '../database/index.js';
import type { DeviceKey } from './device.repository.js';

/** Which part of what a device may not have heard to read. */
export interface HiddenQuestion extends DeviceKey {
  /** The last one told; null: from the beginning. */
  after: MissedHiding | null;
}

/** A message the device may have, and its user hid on another one. */
export interface MissedHiding {
  conversationId: string;
  messageId: string;
  seq: number;
  rev: number;
  hiddenAt: Date;
  [column: string]: unknown;
}

/** Hidings of a page. */
export const hiddenPageSize = 200;

const pageSql = `
  SELECT a.ordinal, k.*
  FROM unnest($1::text[], $2::text[], $3::timestamptz[], $4::uuid[])
    WITH ORDINALITY AS a (user_id, device_id, after_at, after_id, ordinal)
  JOIN devices v ON v.user_id = a.user_id AND v.device_id = a.device_id
  CROSS JOIN LATERAL (
    SELECT h.conversation_id AS "conversationId", h.message_id AS "messageId", h.seq, m.rev, h.hidden_at AS "hiddenAt"
    FROM hidden_messages h
    JOIN participants p ON p.conversation_id = h.conversation_id AND p.user_id = h.user_id AND p.left_at IS NULL
    JOIN messages m ON m.conversation_id = h.conversation_id AND m.seq = h.seq
    WHERE h.user_id = a.user_id AND h.hidden_at > v.hidden_known_at
      AND (a.after_at IS NULL OR (h.hidden_at, h.message_id) > (a.after_at, a.after_id))
      AND h.seq > p.joined_seq
    ORDER BY h.hidden_at, h.message_id LIMIT ${hiddenPageSize}
  ) k
  ORDER BY a.ordinal, k."hiddenAt", k."messageId"`;

/** Reads what users hid while devices of theirs were away. */
@Injectable()
export class HiddenRepository {
  constructor(private readonly sql: Sql) {}

  /** One page per question, in the order of hiding; by `hidden_messages_at` and primary keys. */
  async pages(questions: readonly HiddenQuestion[]): Promise<MissedHiding[][]> {
    const rows = await this.sql.rows<MissedHiding & { ordinal: number }>({
      name: 'hidden-pages',
      text: pageSql,
      values: [
        questions.map(({ userId }) => userId),
        questions.map(({ deviceId }) => deviceId),
        questions.map(({ after }) => after?.hiddenAt.toISOString() ?? null),
        questions.map(({ after }) => after?.messageId ?? null),
      ],
    });
    const pages = questions.map((): MissedHiding[] => []);
    for (const { ordinal, ...hiding } of rows) pages[ordinal - 1]!.push(hiding);
    return pages;
  }
}
