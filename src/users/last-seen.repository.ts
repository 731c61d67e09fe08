import { Injectable } from '@nestjs/common';
import { Sql } from '../database/index.js';
import { LastSeen, type Sighting } from './last-seen.js';

/** In `users.last_seen_at`; found by the primary key. */
@Injectable()
export class LastSeenRepository extends LastSeen {
  constructor(private readonly sql: Sql) {
    super();
  }

  override async record(sightings: readonly Sighting[]): Promise<void> {
    const latest = new Map<string, number>();
    for (const { userId, atMs } of sightings) latest.set(userId, Math.max(atMs, latest.get(userId) ?? 0));
    // In order of id, so that two nodes that record the same users do not wait for each other in a
    // circle.
    const rows = [...latest].sort(([a], [b]) => (a < b ? -1 : 1));
    if (rows.length === 0) return;
    await this.sql.rows(
      `WITH seen AS (SELECT * FROM unnest($1::text[], $2::float8[]) AS s(id, at_ms)),
            locked AS (SELECT u.id FROM users u JOIN seen ON seen.id = u.id ORDER BY u.id FOR NO KEY UPDATE OF u)
       UPDATE users u SET last_seen_at = greatest(u.last_seen_at, to_timestamp(seen.at_ms / 1000))
       FROM locked JOIN seen ON seen.id = locked.id WHERE u.id = locked.id`,
      [rows.map(([id]) => id), rows.map(([, atMs]) => atMs)],
    );
  }

  override async of(userIds: readonly string[]): Promise<Map<string, number>> {
    const rows = await this.sql.rows<{ id: string; at: Date }>(
      'SELECT id, last_seen_at AS at FROM users WHERE id = ANY ($1) AND last_seen_at IS NOT NULL',
      [userIds],
    );
    return new Map(rows.map(({ id, at }) => [id, at.getTime()]));
  }
}
