import { Injectable } from '@nestjs/common';
import { Sql, type SqlRunner } from '../database/index.js';

/** One installation of one user. */
export interface DeviceKey {
  userId: string;
  deviceId: string;
}

/** A device one of whose sockets has ended. */
export interface DepartedDevice extends DeviceKey {
  /** How long ago the last ping was written that the socket answered; null: it answered none. */
  provenAgeMs: number | null;
}

export interface DeviceRow {
  deviceId: string;
  lastSeenAt: Date;
  [column: string]: unknown;
}

// A hiding is told within 5 s of its commit, also when its node has died.
const marginSeconds = 10;

// A new device starts where the user's devices together have come (contract, section 1): the
// greatest of their cursors and of the user's own, which covers what was marked over REST and
// devices since forgotten.
const touchSql = `
  WITH seen AS (
    INSERT INTO devices (user_id, device_id)
    SELECT DISTINCT user_id, device_id FROM unnest($1::text[], $2::text[]) AS t (user_id, device_id) ORDER BY 1, 2
    ON CONFLICT (user_id, device_id) DO UPDATE SET last_seen_at = now()
    RETURNING user_id, device_id, xmax = 0 AS is_new
  )
  INSERT INTO device_cursors (user_id, device_id, conversation_id, seq, rev)
  SELECT s.user_id, s.device_id, p.conversation_id, greatest(p.delivered_seq, max(d.seq)),
         greatest(p.delivered_rev, max(d.rev))
  FROM seen s
  JOIN participants p ON p.user_id = s.user_id AND p.left_at IS NULL
  LEFT JOIN device_cursors d ON d.user_id = p.user_id AND d.conversation_id = p.conversation_id
  WHERE s.is_new
  GROUP BY s.user_id, s.device_id, p.conversation_id, p.user_id, p.delivered_seq, p.delivered_rev, p.joined_seq, p.joined_rev
  HAVING greatest(p.delivered_seq, max(d.seq)) > p.joined_seq OR greatest(p.delivered_rev, max(d.rev)) > p.joined_rev
  ORDER BY 1, 2, 3
  ON CONFLICT (user_id, device_id, conversation_id) DO UPDATE
  SET seq = greatest(device_cursors.seq, excluded.seq), rev = greatest(device_cursors.rev, excluded.rev)`;

/** The table of devices. */
@Injectable()
export class DeviceRepository {
  constructor(private readonly sql: Sql) {}

  /**
   * Notes that devices are here; one seen for the first time gets its cursors. By primary keys and
   * `participants_user`.
   */
  async touch(devices: readonly DeviceKey[]): Promise<void> {
    await this.sql.rows({
      name: 'devices-touch',
      text: touchSql,
      values: [devices.map(({ userId }) => userId), devices.map(({ deviceId }) => deviceId)],
    });
  }

  /**
   * Notes when devices left, and that each has heard what its user hid until it last proved to be
   * there. A margin for what was committed and not told yet. Rows are locked in the order in which
   * {@link touch} locks them: the devices of a node that drains leave it while they come to others.
   */
  async left(devices: readonly DepartedDevice[]): Promise<void> {
    await this.sql.rows({
      name: 'devices-left',
      text: `UPDATE devices d
             SET last_seen_at = now(),
                 hidden_known_at = greatest(d.hidden_known_at, now() - make_interval(secs => l.age_ms / 1000 + ${marginSeconds}))
             FROM (SELECT user_id, device_id, age_ms
                   FROM (SELECT user_id, device_id, min(age_ms) AS age_ms
                         FROM unnest($1::text[], $2::text[], $3::float8[]) AS t (user_id, device_id, age_ms) GROUP BY 1, 2) t
                   JOIN devices USING (user_id, device_id) ORDER BY 1, 2 FOR UPDATE OF devices) l
             WHERE d.user_id = l.user_id AND d.device_id = l.device_id`,
      values: [
        devices.map(({ userId }) => userId),
        devices.map(({ deviceId }) => deviceId),
        devices.map(({ provenAgeMs }) => provenAgeMs),
      ],
    });
  }

  /** A user's devices by id, after one; a range of the primary key. */
  page(userId: string, afterId: string, limit: number): Promise<DeviceRow[]> {
    return this.sql.rows<DeviceRow>(
      `SELECT device_id AS "deviceId", last_seen_at AS "lastSeenAt" FROM devices
       WHERE user_id = $1 AND device_id COLLATE "C" > $2 ORDER BY device_id COLLATE "C" LIMIT $3`,
      [userId, afterId, limit],
    );
  }

  /** Forgets a device with its cursors, in the caller's transaction. @returns whether it was there */
  async forget(tx: SqlRunner, { userId, deviceId }: DeviceKey): Promise<boolean> {
    const gone = await tx.rows('DELETE FROM devices WHERE user_id = $1 AND device_id = $2 RETURNING 1', [
      userId,
      deviceId,
    ]);
    await tx.rows('DELETE FROM device_cursors WHERE user_id = $1 AND device_id = $2', [userId, deviceId]);
    return gone.length > 0;
  }
}
