import { setImmediate as nextTurn } from 'node:timers/promises';
import { Injectable, type OnModuleInit } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { Clock } from '../common/index.js';
import { ReceiptVisibility } from '../conversations/index.js';
import { VisibilityEvents } from '../users/index.js';
import { ReceiptPrivacyRepository } from './receipt-privacy.repository.js';

const maxUsers = 200_000;
// Only for notices that come late, because their node died or Redis is away.
const maxAgeMs = 10_000;

interface Known {
  isHider: boolean;
  loadedAtMs: number;
}

/** A query that is about to be sent. */
interface Query {
  userIds: Set<string>;
  hiders: Promise<ReadonlySet<string>>;
}

/**
 * `readReceipts: false` works both ways: it hides one's own read cursor from others, and others'
 * from oneself.
 *
 * From memory; a change made on any node counts after milliseconds, at most 10 s. Look-ups of one
 * turn of the event loop share one query, so a group of any size costs one.
 */
@Injectable()
export class ReceiptPrivacy extends ReceiptVisibility implements OnModuleInit {
  private readonly cache = new LRUCache<string, Known>({ max: maxUsers });
  private readonly loads = new Map<string, Promise<boolean>>();
  private nextQuery: Query | null = null;

  constructor(
    private readonly repository: ReceiptPrivacyRepository,
    private readonly events: VisibilityEvents,
    private readonly clock: Clock,
  ) {
    super();
  }

  onModuleInit(): void {
    this.events.onChanged(({ cause, userId }) => {
      if (cause === 'privacy') this.forget(userId);
    });
  }

  override async hiddenFrom(viewerId: string, userIds: string[]): Promise<ReadonlySet<string>> {
    const [isViewerHider, ...areHiders] = await this.areHiders([viewerId, ...userIds]);
    return new Set(userIds.filter((_userId, i) => isViewerHider || areHiders[i]));
  }

  private async areHiders(userIds: string[]): Promise<(boolean | null)[]> {
    const known = userIds.map((userId) => this.recall(userId));
    if (!known.includes(null)) return known;
    return Promise.all(known.map(async (isHider, i) => isHider ?? this.look(userIds[i]!)));
  }

  private recall(userId: string): boolean | null {
    const known = this.cache.get(userId);
    return known && this.clock.now() - known.loadedAtMs < maxAgeMs ? known.isHider : null;
  }

  private look(userId: string): Promise<boolean> {
    return this.loads.get(userId) ?? this.load(userId);
  }

  private load(userId: string): Promise<boolean> {
    const loadedAtMs = this.clock.now();
    const load = this.ask(userId)
      .then((isHider) => {
        // Not if the user has changed his mind since the query was sent.
        if (this.loads.get(userId) === load) this.cache.set(userId, { isHider, loadedAtMs });
        return isHider;
      })
      .finally(() => {
        if (this.loads.get(userId) === load) this.loads.delete(userId);
      });
    this.loads.set(userId, load);
    return load;
  }

  private async ask(userId: string): Promise<boolean> {
    const query = (this.nextQuery ??= this.prepareQuery());
    query.userIds.add(userId);
    return (await query.hiders).has(userId);
  }

  private prepareQuery(): Query {
    const userIds = new Set<string>();
    const hiders = nextTurn().then(() => {
      this.nextQuery = null;
      return this.repository.hidersAmong([...userIds]);
    });
    return { userIds, hiders };
  }

  private forget(userId: string): void {
    this.cache.delete(userId);
    this.loads.delete(userId);
  }
}
