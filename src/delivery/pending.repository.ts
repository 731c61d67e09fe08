import { Injectable } from '@nestjs/common';
import { Sql } from '../database/index.js';
import type { DeviceKey } from './device.repository.js';

/** A conversation in which a device lacks something, and what it has there. */
export interface PendingConversation {
  conversationId: string;
  /** All messages up to this. */
  seq: number;
  /** All changes up to this. */
  rev: number;
}

/** Which of a device's conversations to look at. */
export interface CandidateQuestion extends DeviceKey {
  conversationIds: string[];
}

interface PendingRow extends PendingConversation {
  ordinal: number;
  [column: string]: unknown;
}

const cursorColumns = `p.conversation_id AS "conversationId", greatest(p.joined_seq, d.seq) AS seq,
         greatest(p.joined_rev, d.rev) AS rev`;

// Not a queue's business: what was committed and not announced yet may not be in any queue.
const maxUnannounced = 1_000;

const candidateSql = `
  WITH asked AS (
    SELECT * FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS a (user_id, device_id, ordinal)
  ), unannounced AS MATERIALIZED (
    SELECT DISTINCT (n.notice -> 'payload' ->> 'conversationId')::uuid AS conversation_id
    FROM (SELECT notices FROM outbox LIMIT ${maxUnannounced}) o, json_array_elements(o.notices) AS n (notice)
    WHERE n.notice ->> 'kind' = 'messages'
  ), candidates AS (
    SELECT ordinal, conversation_id FROM unnest($3::bigint[], $4::uuid[]) AS t (ordinal, conversation_id)
    UNION SELECT a.ordinal, u.conversation_id FROM asked a, unannounced u
  )
  SELECT a.ordinal, ${cursorColumns}
  FROM asked a
  JOIN candidates t ON t.ordinal = a.ordinal
  JOIN participants p ON p.user_id = a.user_id AND p.conversation_id = t.conversation_id AND p.left_at IS NULL
  JOIN conversations c ON c.id = p.conversation_id
  LEFT JOIN device_cursors d
    ON d.user_id = a.user_id AND d.device_id = a.device_id AND d.conversation_id = p.conversation_id
  WHERE c.last_rev > greatest(p.joined_rev, d.rev)
  ORDER BY a.ordinal, c.updated_at DESC`;

/** Finds what devices lack, newest activity first. The truth, whatever a queue says. */
@Injectable()
export class PendingRepository {
  constructor(private readonly sql: Sql) {}

  /**
   * Looks at the conversations that may have changed since the devices were looked at last, and at
   * all of a user's whose device never was; by `user_activity_until` or `participants_user`, and
   * primary keys.
   */
  async all(devices: readonly DeviceKey[]): Promise<PendingConversation[][]> {
    const rows = await this.sql.rows<PendingRow>({
      name: 'pending-all',
      text: 'SELECT ordinal, conversation_id AS "conversationId", seq, rev FROM device_backlogs($1, $2)',
      values: [devices.map(({ userId }) => userId), devices.map(({ deviceId }) => deviceId)],
    });
    return byOrdinal(devices.length, rows);
  }

  /**
   * Looks at the conversations named, and at those with changes nobody has announced yet; by
   * primary keys.
   */
  async among(questions: readonly CandidateQuestion[]): Promise<PendingConversation[][]> {
    const pairs = questions.flatMap(({ conversationIds }, i) => conversationIds.map((id) => [i + 1, id] as const));
    const rows = await this.sql.rows<PendingRow>({
      name: 'pending-among',
      text: candidateSql,
      values: [
        questions.map(({ userId }) => userId),
        questions.map(({ deviceId }) => deviceId),
        pairs.map(([ordinal]) => ordinal),
        pairs.map(([, conversationId]) => conversationId),
      ],
    });
    return byOrdinal(questions.length, rows);
  }

  /** Whether so much is unannounced that {@link among} would not see all of it. */
  async isOutboxLong(): Promise<boolean> {
    const rows = await this.sql.rows({
      name: 'outbox-is-long',
      text: `SELECT 1 FROM outbox OFFSET ${maxUnannounced} LIMIT 1`,
    });
    return rows.length > 0;
  }

  /** Where a device stands in one conversation now; null: not a participant. */
  async cursor({ userId, deviceId }: DeviceKey, conversationId: string): Promise<PendingConversation | null> {
    const [row] = await this.sql.rows<PendingRow>({
      name: 'device-cursor',
      text: `SELECT ${cursorColumns}
             FROM participants p LEFT JOIN device_cursors d
               ON d.user_id = p.user_id AND d.device_id = $2 AND d.conversation_id = p.conversation_id
             WHERE p.conversation_id = $3 AND p.user_id = $1 AND p.left_at IS NULL`,
      values: [userId, deviceId, conversationId],
    });
    return row ?? null;
  }
}

function byOrdinal(count: number, rows: PendingRow[]): PendingConversation[][] {
  const answers = Array.from({ length: count }, (): PendingConversation[] => []);
  for (const { ordinal, ...pending } of rows) answers[ordinal - 1]!.push(pending);
  return answers;
}
