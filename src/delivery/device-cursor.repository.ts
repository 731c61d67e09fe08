import { Injectable } from '@nestjs/common';
import { Sql } from '../database/index.js';
import type { DeviceKey } from './device.repository.js';

/** What a device has proven, or says, that it has. */
export interface CursorClaim extends DeviceKey {
  conversationId: string;
  /** All messages up to this; 0 says nothing. */
  seq: number;
  /** All changes up to this; 0 says nothing. */
  rev: number;
  /**
   * The claim begins at this rev, and holds only for a device that has everything before; null: it
   * holds as it is.
   */
  fromRev: number | null;
}

/**
 * `moved`: the cursor is at least where the claim says (within what exists). `gap`: the device
 * lacks something before `fromRev`; nothing was moved. `unknown`: not a participant, or the device
 * was forgotten.
 */
export type ClaimOutcome = 'moved' | 'gap' | 'unknown';

// A claimed rev is cut down to what the claimed seq allows: changes are not had up to the birth of
// a message that is not had. So "everything up to rev" always includes the messages sent up to rev,
// and a run of revs that starts right after a cursor continues it.
const advanceSql = `
  WITH claimed AS MATERIALIZED (
    SELECT i.*, c.last_seq, c.last_rev,
           greatest(p.joined_seq, d.seq) AS base_seq, greatest(p.joined_rev, d.rev) AS base_rev,
           i.from_rev - 1 > greatest(p.joined_rev, d.rev) AS is_gap
    FROM unnest($1::text[], $2::text[], $3::uuid[], $4::bigint[], $5::bigint[], $6::bigint[])
      WITH ORDINALITY AS i (user_id, device_id, conversation_id, seq, rev, from_rev, ordinal)
    JOIN devices v ON v.user_id = i.user_id AND v.device_id = i.device_id
    JOIN participants p ON p.conversation_id = i.conversation_id AND p.user_id = i.user_id AND p.left_at IS NULL
    JOIN conversations c ON c.id = i.conversation_id
    LEFT JOIN device_cursors d
      ON d.user_id = i.user_id AND d.device_id = i.device_id AND d.conversation_id = i.conversation_id
  ), allowed AS (
    SELECT c.*, greatest(c.base_seq, least(c.seq, c.last_seq)) AS new_seq,
           greatest(c.base_rev, least(c.rev, c.last_rev, (
             SELECT coalesce(m.sent_rev, m.rev) - 1 FROM messages m
             WHERE m.conversation_id = c.conversation_id
               AND m.seq = greatest(c.base_seq, least(c.seq, c.last_seq)) + 1))) AS new_rev
    FROM claimed c WHERE c.is_gap IS NOT TRUE
  ), moved AS (
    INSERT INTO device_cursors (user_id, device_id, conversation_id, seq, rev)
    SELECT user_id, device_id, conversation_id, max(new_seq), max(new_rev) FROM allowed
    WHERE new_seq > base_seq OR new_rev > base_rev
    GROUP BY user_id, device_id, conversation_id ORDER BY 1, 2, 3
    ON CONFLICT (user_id, device_id, conversation_id) DO UPDATE
    SET seq = greatest(device_cursors.seq, excluded.seq), rev = greatest(device_cursors.rev, excluded.rev)
  )
  SELECT ordinal, is_gap IS TRUE AS "isGap" FROM claimed`;

/** How far each device has come in each conversation. */
@Injectable()
export class DeviceCursorRepository {
  constructor(private readonly sql: Sql) {}

  /**
   * Moves cursors forward, never back; one statement, by primary keys.
   *
   * Concurrent claims are all true, so the greater of two wins; rows are locked in order of their
   * key.
   *
   * @returns one outcome per claim, in order
   */
  async advance(claims: readonly CursorClaim[]): Promise<ClaimOutcome[]> {
    const rows = await this.sql.rows<{ ordinal: number; isGap: boolean }>({
      name: 'device-cursors-advance',
      text: advanceSql,
      values: [
        claims.map(({ userId }) => userId),
        claims.map(({ deviceId }) => deviceId),
        claims.map(({ conversationId }) => conversationId),
        claims.map(({ seq }) => seq),
        claims.map(({ rev }) => rev),
        claims.map(({ fromRev }) => fromRev),
      ],
    });
    const outcomes = claims.map((): ClaimOutcome => 'unknown');
    for (const { ordinal, isGap } of rows) outcomes[ordinal - 1] = isGap ? 'gap' : 'moved';
    return outcomes;
  }
}
