import { Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { Clock } from '../common/index.js';
import { Settings } from '../config/index.js';
import { NodeBus } from '../redis/index.js';
import { ChangeMarks } from './change-marks.js';
import { VisibilityEvents, type VisibilityChange } from './visibility.events.js';
import { ownSight, sightOf, type Sight } from './visibility.js';
import { VisibilityRepository } from './visibility.repository.js';

const maxPairs = 200_000;
const maxAudienceIds = 1_000_000;
const maxAudience = 10_000;
const maxIdsPerQuery = 500;
const maxAgeMs = 60_000;

interface Remembered {
  step: number;
  readAtMs: number;
}

interface RememberedSight extends Remembered {
  sight: Sight;
}

interface RememberedAudience extends Remembered {
  userIds: string[];
}

/** Who looks, and at whom. */
type Pair = readonly [viewerId: string, userId: string];

/**
 * Who may see whom: presence and typing, events and answers alike.
 *
 * From memory where possible. A change of a block, contact, privacy, membership or acceptance
 * counts as soon as it is answered, on every node the bus reaches; at most `REVOCATION_BOUND_MS`
 * later when the node that committed it died or the bus is away (an acceptance by a message: at
 * most 5 s). Ask at the moment of telling, not of subscribing, and nobody keeps hearing what they
 * may no longer see.
 *
 * Bounded: 200,000 pairs and 1,000,000 ids of audiences, the least recently used go first; one
 * query for up to 500 ids.
 *
 * @since 0.1.0
 */
@Injectable()
export class UserVisibility {
  private readonly marks = new ChangeMarks();
  private readonly sights = new LRUCache<string, RememberedSight>({ max: maxPairs });
  private readonly audiences = new LRUCache<string, RememberedAudience>({
    maxSize: maxAudienceIds,
    sizeCalculation: ({ userIds }) => 1 + userIds.length,
  });

  constructor(
    private readonly repository: VisibilityRepository,
    private readonly bus: NodeBus,
    private readonly clock: Clock,
    private readonly settings: Settings,
    events: VisibilityEvents,
  ) {
    events.onChanged((change) => this.forget(change));
    // Notices of the time without the bus never came.
    this.bus.onReconnected(() => this.marks.touchAll());
  }

  /**
   * What a viewer may see of others.
   *
   * @returns an entry for each id; one who was never seen counts as one with default privacy, who
   *   has accepted nobody
   * @throws ChatError UNAVAILABLE
   */
  async visibleTo(viewerId: string, userIds: readonly string[]): Promise<Map<string, Sight>> {
    const sights = await this.look(userIds.map((userId) => [viewerId, userId]));
    return new Map(userIds.map((userId, i) => [userId, sights[i]!]));
  }

  /**
   * What others, the viewers, may see of a user.
   *
   * @returns an entry for each viewer
   * @throws ChatError UNAVAILABLE
   */
  async seenBy(userId: string, viewerIds: readonly string[]): Promise<Map<string, Sight>> {
    const sights = await this.look(viewerIds.map((viewerId) => [viewerId, userId]));
    return new Map(viewerIds.map((viewerId, i) => [viewerId, sights[i]!]));
  }

  /**
   * Who hears of a user's coming and going without asking: who has the user as a contact and may
   * see it. Who is accepted by a group only does not. 10,000 at most; the others can subscribe.
   *
   * @throws ChatError UNAVAILABLE
   */
  async audienceOf(userId: string): Promise<string[]> {
    const known = this.audiences.get(userId);
    if (known && this.isGood(known, userId)) return known.userIds;
    const step = this.marks.present;
    const readAtMs = this.clock.now();
    const userIds = await this.repository.audience(userId, maxAudience);
    this.audiences.set(userId, { userIds, step, readAtMs });
    return userIds;
  }

  private async look(pairs: Pair[]): Promise<Sight[]> {
    const known = pairs.map((pair) => this.recall(pair));
    const missing = pairs.filter((_pair, i) => known[i] === null);
    if (missing.length === 0) return known as Sight[];
    const read = await this.read(missing);
    return pairs.map((pair, i) => known[i] ?? read.get(keyOf(pair))!);
  }

  private recall([viewerId, userId]: Pair): Sight | null {
    if (viewerId === userId) return ownSight;
    const known = this.sights.get(keyOf([viewerId, userId]));
    return known && this.isGood(known, viewerId, userId) ? known.sight : null;
  }

  private async read(pairs: Pair[]): Promise<Map<string, Sight>> {
    const found = new Map<string, Sight>();
    const step = this.marks.present;
    const readAtMs = this.clock.now();
    for (let i = 0; i < pairs.length; i += maxIdsPerQuery) {
      const part = pairs.slice(i, i + maxIdsPerQuery);
      const viewerIds = new Set(part.map(([viewerId]) => viewerId));
      const userIds = new Set(part.map(([, userId]) => userId));
      for (const relation of await this.repository.relations([...viewerIds], [...userIds])) {
        const key = keyOf([relation.viewerId, relation.userId]);
        found.set(key, sightOf(relation));
        this.sights.set(key, { sight: found.get(key)!, step, readAtMs });
      }
    }
    return found;
  }

  private isGood({ step, readAtMs }: Remembered, ...userIds: string[]): boolean {
    const ageMs = this.clock.now() - readAtMs;
    return (
      ageMs < (this.bus.isHealthy ? maxAgeMs : this.settings.revocationBoundMs) &&
      this.marks.areUnchangedSince(step, ...userIds)
    );
  }

  private forget({ userId, otherId }: VisibilityChange): void {
    this.marks.touch(userId);
    if (otherId !== null) this.marks.touch(otherId);
  }
}

// User ids have no control characters.
function keyOf([viewerId, userId]: Pair): string {
  return `${viewerId}\n${userId}`;
}
