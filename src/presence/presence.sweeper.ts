import { Injectable } from '@nestjs/common';
import { Settings } from '../config/index.js';
import { PresenceAnnouncer } from './presence.announcer.js';
import { PresenceStore, type PresenceTransition } from './presence.store.js';
import { ToldPresences } from './told-presences.js';

const usersPerRead = 1_000;

/**
 * Has those told of as gone whose presence ended by itself, whichever node they were on.
 *
 * Also those no store can end: users whose node died within the same TTL in which the store was
 * emptied. Their leases went with the store, and nobody is left to renew them. A TTL after it was
 * found empty whoever is alive has renewed; then each node asks for those of whom it told that they
 * are there, and tells its own sockets of those the store does not know.
 */
@Injectable()
export class PresenceSweeper {
  private emptiedAt: number | null = null;

  constructor(
    private readonly store: PresenceStore,
    private readonly told: ToldPresences,
    private readonly announcer: PresenceAnnouncer,
    private readonly settings: Settings,
  ) {}

  /** Call it when the store was found emptied, before this node renews. */
  noteEmptied(): void {
    this.emptiedAt = performance.now();
  }

  /** Call it often, once the nodes had time to renew. @throws ChatError UNAVAILABLE */
  async sweep(): Promise<void> {
    this.announcer.announce(await this.store.sweep());
    const { emptiedAt } = this;
    if (emptiedAt === null || performance.now() - emptiedAt < this.settings.presenceTtlMs) return;
    const forgotten = await this.forgottenSince(emptiedAt);
    if (forgotten === null) return;
    this.emptiedAt = null;
    this.announcer.announceHere(forgotten);
  }

  /** @returns null while the store cannot say */
  private async forgottenSince(emptiedAt: number): Promise<PresenceTransition[] | null> {
    const userIds = this.told.visibleUserIds();
    const forgotten: PresenceTransition[] = [];
    for (let i = 0; i < userIds.length; i += usersPerRead) {
      for (const [userId, { status, atMs }] of await this.store.read(userIds.slice(i, i + usersPerRead))) {
        if (status === 'unknown') return null;
        const seenAtMs = Math.round(atMs - (performance.now() - emptiedAt));
        if (status === 'offline') forgotten.push({ userId, status, seenAtMs, atUs: atMs * 1_000 });
      }
    }
    return forgotten;
  }
}
