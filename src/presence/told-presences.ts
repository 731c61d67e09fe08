import { Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import type { Presence, PresenceStatus } from '../common/index.js';

/** The last-announced presence of a user on this node. */
interface Told {
  status: PresenceStatus;
  /** Unix microseconds of the store's clock; 0: it was an answer, not an event. */
  atUs: number;
}

const maxUsers = 100_000;
/**
 * Clocks may be set back; what is older than this against what was told before is not late, but
 * new.
 */
const maxLateUs = 10_000_000;

/**
 * The last-announced presence of each user on this node, whichever node found the change. It keeps
 * the events of several nodes in order, and lets {@link PresenceSweeper} end a presence that no
 * other node remembers.
 *
 * Bounded: the 100,000 users with the latest events.
 */
@Injectable()
export class ToldPresences {
  private readonly told = new LRUCache<string, Told>({ max: maxUsers });

  /** Whether an event says more than what was told; notes that it is told now. */
  advance({ userId, status }: Pick<Presence, 'userId' | 'status'>, atUs: number): boolean {
    const before = this.told.peek(userId);
    if (before && atUs < before.atUs && before.atUs - atUs < maxLateUs) return false;
    this.told.set(userId, { status, atUs });
    return true;
  }

  /** Notes an answer, which takes nothing from the news that may be on its way. */
  answer(userId: string, status: PresenceStatus): void {
    if (isVisible(status) && !this.told.has(userId)) this.told.set(userId, { status, atUs: 0 });
  }

  /** Users whom this node announced as online or away. */
  visibleUserIds(): string[] {
    return [...this.told.entries()].filter(([, { status }]) => isVisible(status)).map(([userId]) => userId);
  }
}

function isVisible(status: PresenceStatus): boolean {
  return status === 'online' || status === 'away';
}
