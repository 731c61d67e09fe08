import { Injectable, Logger } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { LastSeen, type Sighting } from '../users/index.js';

const maxPending = 10_000;

/** Writes when users were last seen, and keeps what could not be written for the next time. */
@Injectable()
export class LastSeenWriter {
  private readonly logger = new Logger(LastSeenWriter.name);
  private pending: Sighting[] = [];
  /** Unix milliseconds by user id, of what may not be written yet. */
  private readonly recent = new LRUCache<string, number>({ max: maxPending, ttl: 60_000 });

  constructor(private readonly lastSeen: LastSeen) {}

  /**
   * Never rejects; while Postgres is away, it gives up within about twice `DATABASE_TIMEOUT_MS`.
   */
  async write(sightings: readonly Sighting[]): Promise<void> {
    for (const { userId, atMs } of sightings) this.recent.set(userId, atMs);
    const all = [...this.pending, ...sightings];
    this.pending = [];
    if (all.length === 0) return;
    try {
      await this.lastSeen.record(all);
    } catch (error) {
      this.logger.debug(`last seen put off: ${String(error)}`);
      this.pending = [...all, ...this.pending].slice(-maxPending);
    }
  }

  /**
   * Knows what this node is still writing.
   * @returns Unix milliseconds by user id, without those never seen
   * @throws ChatError UNAVAILABLE
   */
  async of(userIds: readonly string[]): Promise<Map<string, number>> {
    const seenAt = await this.lastSeen.of(userIds);
    for (const userId of userIds) {
      const atMs = this.recent.get(userId);
      if (atMs !== undefined) seenAt.set(userId, Math.max(atMs, seenAt.get(userId) ?? 0));
    }
    return seenAt;
  }
}
