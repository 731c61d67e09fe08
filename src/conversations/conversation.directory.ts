import { Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { AccessWatch } from '../auth/index.js';
import { Clock } from '../common/index.js';
import { Settings } from '../config/index.js';
import { NodeBus } from '../redis/index.js';
import type { Membership, Standing } from './membership.js';
import { MembershipRepository } from './membership.repository.js';

const maxConversations = 50_000;
// About 100 bytes each: 200 MB at the very worst.
const maxParticipants = 2_000_000;
const maxAgeMs = 60_000;
const maxLoads = 3;

interface Entry {
  membership: Membership;
  loadedAtMs: number;
}

interface Load {
  minVersion: number;
  result: Promise<Membership | null>;
}

/**
 * Who takes part in which conversation, from memory where possible.
 *
 * Guarantees:
 * - asked with a version, never answers with an older one (as long as Postgres knows it);
 * - asked without one, may still know a participant who has left, or an earlier role, for as long
 *   as the notice of it takes: milliseconds, at most `REVOCATION_BOUND_MS` when the node that
 *   committed it died or the bus is away. What commits checks again in SQL. While this node can
 *   neither read the notices from Postgres nor hear the bus, what is older than the bound counts no
 *   more;
 * - never denies a participant from memory: before it says no, it has asked Postgres.
 *
 * Bounded: 50,000 conversations and 2,000,000 participants, the least recently used go first.
 * Concurrent loads of one conversation are one query.
 */
@Injectable()
export class ConversationDirectory {
  private readonly cache = new LRUCache<string, Entry>({
    max: maxConversations,
    maxSize: maxParticipants,
    sizeCalculation: ({ membership }) => 1 + membership.participants.size,
  });
  private readonly loads = new Map<string, Load>();

  constructor(
    private readonly memberships: MembershipRepository,
    private readonly bus: NodeBus,
    private readonly watch: AccessWatch,
    private readonly clock: Clock,
    private readonly settings: Settings,
  ) {
    // Notices of the time without the bus never came.
    this.bus.onReconnected(() => this.cache.clear());
  }

  /** What is in memory, if it is good enough for {@link get}; else null, which says nothing. */
  peek(conversationId: string, minVersion = 0): Membership | null {
    const entry = this.cache.get(conversationId);
    if (!entry) return null;
    const isGood = minVersion > 0 ? entry.membership.version >= minVersion : this.isFresh(entry);
    return isGood ? entry.membership : null;
  }

  /**
   * @param minVersion reads again when what is in memory is older; left out, see the class for how
   *   old it may be
   * @returns null when there is no such conversation
   */
  async get(conversationId: string, minVersion = 0): Promise<Membership | null> {
    return this.peek(conversationId, minVersion) ?? (await this.load(conversationId, minVersion));
  }

  /**
   * For authorization. Null: not a participant, or no such conversation, which nobody may tell
   * apart.
   */
  async participantOf(conversationId: string, userId: string): Promise<Standing | null> {
    const known = this.knownParticipant(conversationId, userId);
    if (known) return known;
    // One row first: a stranger must not make this node load a large group.
    const version = await this.memberships.versionFor(conversationId, userId);
    return version === null ? null : standing(await this.get(conversationId, version), userId);
  }

  /** As {@link participantOf}, from memory only: null says nothing. */
  knownParticipant(conversationId: string, userId: string): Standing | null {
    return standing(this.peek(conversationId), userId);
  }

  /** Forgets what is older than this version, also what is being read at this moment. */
  invalidate(conversationId: string, version: number): void {
    const entry = this.cache.peek(conversationId);
    if (entry && entry.membership.version < version) this.cache.delete(conversationId);
    const load = this.loads.get(conversationId);
    if (load) load.minVersion = Math.max(load.minVersion, version);
  }

  private isFresh({ loadedAtMs }: Entry): boolean {
    const isTold = this.watch.isKept || this.bus.isHealthy;
    return this.clock.now() - loadedAtMs < (isTold ? maxAgeMs : this.settings.revocationBoundMs);
  }

  private load(conversationId: string, minVersion: number): Promise<Membership | null> {
    const running = this.loads.get(conversationId);
    if (running) {
      running.minVersion = Math.max(running.minVersion, minVersion);
      return running.result;
    }
    const load: Load = { minVersion, result: Promise.resolve(null) };
    this.loads.set(conversationId, load);
    load.result = this.read(conversationId, load).finally(() => this.loads.delete(conversationId));
    return load.result;
  }

  /**
   * Reads until the version is the one asked for: a query may have begun before the change it must
   * show.
   */
  private async read(conversationId: string, load: Load): Promise<Membership | null> {
    let membership: Membership | null = null;
    for (let i = 0; i < maxLoads; i++) {
      const loadedAtMs = this.clock.now();
      membership = await this.memberships.load(conversationId);
      if ((membership?.version ?? 0) < load.minVersion) continue;
      if (membership) this.cache.set(conversationId, { membership, loadedAtMs });
      break;
    }
    return membership;
  }
}

function standing(membership: Membership | null, userId: string): Standing | null {
  const participant = membership?.participants.get(userId);
  return membership && participant ? { membership, participant } : null;
}
