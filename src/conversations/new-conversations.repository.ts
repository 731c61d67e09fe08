import { Injectable } from '@nestjs/common';
import { ChatError } from '../common/index.js';
import { Settings } from '../config/index.js';
import type { SqlRunner } from '../database/index.js';

const recent = `FROM unnest(n.created_at) AS t WHERE t > clock_timestamp() - interval '24 hours'`;

// $1 user, $2 limit. One row per user, which calls at the same time take one after the other, on all
// nodes. What is older than a day is dropped on the way.
const countSql = `
  INSERT INTO new_conversations AS n (user_id, created_at) VALUES ($1, ARRAY[clock_timestamp()])
  ON CONFLICT (user_id) DO UPDATE
    SET created_at = ARRAY(SELECT t ${recent} ORDER BY t) || clock_timestamp()
    WHERE (SELECT count(*) ${recent}) < $2
  RETURNING n.user_id`;

// When the oldest of the newest $2 is a day old, there is room for one more.
const waitSql = `
  SELECT ceil(extract(epoch FROM t + interval '24 hours' - clock_timestamp()) * 1000)::bigint AS "waitMs"
  FROM (SELECT t FROM new_conversations n CROSS JOIN LATERAL unnest(n.created_at) AS t
        WHERE n.user_id = $1 ORDER BY t DESC LIMIT 1 OFFSET $2 - 1) oldest`;

/**
 * Counts the conversations that a user creates in 24 hours, over all nodes, by the clock of
 * Postgres (`NEW_CONVERSATIONS_PER_DAY`).
 */
@Injectable()
export class NewConversationsRepository {
  constructor(private readonly settings: Settings) {}

  /**
   * Counts one, in the transaction that creates it: one that is rolled back does not count.
   *
   * @throws ChatError RATE_LIMITED with `retryAfterMs`
   */
  async count(tx: SqlRunner, userId: string): Promise<void> {
    const { newConversationsPerDay: limit } = this.settings;
    const counted = await tx.rows(countSql, [userId, limit]);
    if (counted.length > 0) return;
    const [oldest] = await tx.rows<{ waitMs: number }>(waitSql, [userId, limit]);
    throw new ChatError('RATE_LIMITED', {
      message: `At most ${limit} new conversations in 24 hours`,
      retryAfterMs: Math.max(1, oldest?.waitMs ?? 1_000),
    });
  }
}
