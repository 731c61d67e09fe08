import { setImmediate as nextTurn } from 'node:timers/promises';
import { Injectable, type OnModuleInit } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { Clock } from '../common/index.js';
import { nothingWithheld, ReceiptVisibility, type Withheld, type WithheldReceipts } from '../conversations/index.js';
import { VisibilityEvents, type VisibilityChange } from '../users/index.js';
import { ReceiptPrivacyRepository, type ReceiptStance } from './receipt-privacy.repository.js';

const maxUsers = 200_000;
/** Users, and those they block. */
const maxIds = 1_000_000;
// Notices come within the revocation bound; this bounds what is kept of a node that cannot read.
const maxAgeMs = 10_000;

/** Of almost everybody: one object, so that comparing it is enough. */
const open: ReceiptStance = { isHider: false, blockedIds: new Set() };

interface Known {
  stance: ReceiptStance;
  loadedAtMs: number;
}

/** A query that is about to be sent. */
interface Query {
  userIds: Set<string>;
  stances: Promise<ReadonlyMap<string, ReceiptStance>>;
}

/**
 * The one place that withholds receipts. Both rules work both ways:
 *
 * - `readReceipts: false` hides one's own read cursor from others, and others' from oneself.
 * - A block of either side withholds both cursors of each from the other (contract, section 10.4).
 *
 * From memory; a change made on any node counts after milliseconds, at most `REVOCATION_BOUND_MS`. Look-ups of one
 * turn of the event loop share one query, so a group of any size costs one.
 */
@Injectable()
export class ReceiptPrivacy extends ReceiptVisibility implements OnModuleInit {
  private readonly cache = new LRUCache<string, Known>({
    max: maxUsers,
    maxSize: maxIds,
    sizeCalculation: ({ stance }) => 1 + stance.blockedIds.size,
  });
  private readonly loads = new Map<string, Promise<ReceiptStance>>();
  private nextQuery: Query | null = null;

  constructor(
    private readonly repository: ReceiptPrivacyRepository,
    private readonly events: VisibilityEvents,
    private readonly clock: Clock,
  ) {
    super();
  }

  onModuleInit(): void {
    const causes: VisibilityChange['cause'][] = ['privacy', 'blocked', 'unblocked'];
    this.events.onChanged(({ cause, userId }) => {
      if (causes.includes(cause)) this.forget(userId);
    });
  }

  override withheldFrom(viewerId: string, userIds: readonly string[]): WithheldReceipts | Promise<WithheldReceipts> {
    return this.withheldBetween(viewerId, userIds);
  }

  override withheldOf(userId: string, viewerIds: readonly string[]): WithheldReceipts | Promise<WithheldReceipts> {
    return this.withheldBetween(userId, viewerIds);
  }

  /** Both rules are the same from either side. */
  private withheldBetween(userId: string, otherIds: readonly string[]): WithheldReceipts | Promise<WithheldReceipts> {
    const ids = [userId, ...otherIds];
    const nowMs = this.clock.now();
    const known = ids.map((id) => this.recall(id, nowMs));
    if (!known.includes(null)) return weigh(ids, known as ReceiptStance[]);
    const stances = known.map(async (stance, i) => stance ?? this.look(ids[i]!));
    return Promise.all(stances).then((all) => weigh(ids, all));
  }

  private recall(userId: string, nowMs: number): ReceiptStance | null {
    const known = this.cache.get(userId);
    return known && nowMs - known.loadedAtMs < maxAgeMs ? known.stance : null;
  }

  private look(userId: string): Promise<ReceiptStance> {
    return this.loads.get(userId) ?? this.load(userId);
  }

  private load(userId: string): Promise<ReceiptStance> {
    const loadedAtMs = this.clock.now();
    const load: Promise<ReceiptStance> = this.ask(userId)
      .then((stance) => {
        // The user has decided otherwise since the query was sent.
        if (this.loads.get(userId) !== load) return this.look(userId);
        this.cache.set(userId, { stance, loadedAtMs });
        return stance;
      })
      .finally(() => {
        if (this.loads.get(userId) === load) this.loads.delete(userId);
      });
    this.loads.set(userId, load);
    return load;
  }

  private async ask(userId: string): Promise<ReceiptStance> {
    const query = (this.nextQuery ??= this.prepareQuery());
    query.userIds.add(userId);
    return (await query.stances).get(userId) ?? open;
  }

  private prepareQuery(): Query {
    const userIds = new Set<string>();
    const stances = nextTurn().then(() => {
      this.nextQuery = null;
      return this.repository.stancesOf([...userIds]);
    });
    return { userIds, stances };
  }

  private forget(userId: string): void {
    this.cache.delete(userId);
    this.loads.delete(userId);
  }
}

/** @param ids one user, then the others @returns by id of the others */
function weigh([userId, ...otherIds]: string[], [own, ...others]: ReceiptStance[]): WithheldReceipts {
  if (own === open && others.every((other) => other === open)) return nothingWithheld;
  const withheld = new Map<string, Withheld>();
  others.forEach((other, i) => {
    const otherId = otherIds[i]!;
    if (own!.blockedIds.has(otherId) || other.blockedIds.has(userId!)) withheld.set(otherId, 'both');
    else if (own!.isHider || other.isHider) withheld.set(otherId, 'read');
  });
  return withheld;
}
