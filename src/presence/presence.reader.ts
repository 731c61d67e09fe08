import { Injectable } from '@nestjs/common';
import { ChatError, type Presence } from '../common/index.js';
import { LastSeenWriter } from './last-seen.writer.js';
import { presenceSeen, type PresenceSight } from './presence.policy.js';
import { PresenceStore, type PresenceReading } from './presence.store.js';
import { ToldPresences } from './told-presences.js';

/** Reads what users are seen as, and when they were last. */
@Injectable()
export class PresenceReader {
  constructor(
    private readonly store: PresenceStore,
    private readonly told: ToldPresences,
    private readonly lastSeen: LastSeenWriter,
  ) {}

  /**
   * @returns in the order of the ids, each as far as it may be seen; `unknown` while the store is
   * away
   */
  async look(userIds: readonly string[], sights: ReadonlyMap<string, PresenceSight>): Promise<Presence[]> {
    const visible = userIds.filter((userId) => sights.get(userId)?.online);
    const readings = await this.read(visible);
    for (const [userId, { status }] of readings) this.told.answer(userId, status);
    const absent = visible.filter(
      (userId) => readings.get(userId)?.status === 'offline' && sights.get(userId)!.lastSeen,
    );
    const seenAt = await this.seenAt(absent);
    return userIds.map((userId) =>
      presenceSeen(presenceOf(userId, readings.get(userId), seenAt.get(userId)), sights.get(userId)),
    );
  }

  /** Empty while the store is away. */
  private async read(userIds: readonly string[]): Promise<Map<string, PresenceReading>> {
    if (userIds.length === 0) return new Map();
    return this.store.read(userIds).catch(emptyWhenAway<PresenceReading>);
  }

  private async seenAt(userIds: readonly string[]): Promise<Map<string, number>> {
    if (userIds.length === 0) return new Map();
    return this.lastSeen.of(userIds).catch(emptyWhenAway<number>);
  }
}

function emptyWhenAway<T>(error: unknown): Map<string, T> {
  if (error instanceof ChatError && error.code === 'UNAVAILABLE') return new Map();
  throw error;
}

function presenceOf(userId: string, reading: PresenceReading | undefined, seenAtMs: number | undefined): Presence {
  const status = reading?.status ?? 'unknown';
  const isHere = status === 'online' || status === 'away';
  const lastSeenMs = isHere ? reading?.atMs : seenAtMs;
  return { userId, status, lastSeenAt: lastSeenMs === undefined ? null : new Date(lastSeenMs).toISOString() };
}
