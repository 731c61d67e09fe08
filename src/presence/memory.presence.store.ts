import { Injectable } from '@nestjs/common';
import { Clock } from '../common/index.js';
import { Settings } from '../config/index.js';
import {
  PresenceStore,
  type DeviceStatus,
  type PresenceChange,
  type PresenceLease,
  type PresenceReading,
  type PresenceTransition,
} from './presence.store.js';

const rank: Record<DeviceStatus, number> = { offline: 0, away: 1, online: 2 };

interface Lease {
  endsAt: number;
  status: DeviceStatus;
  deviceId: string;
}

interface User {
  leases: Map<string, Lease>;
  told: DeviceStatus;
  /** End of the grace period. */
  graceEnd: number | null;
  seenAtMs: number;
}

/** Presence of the one process. Times are Unix milliseconds. */
@Injectable()
export class MemoryPresenceStore extends PresenceStore {
  override readonly isIncomplete = false;
  private readonly users = new Map<string, User>();
  private lastUs = 0;

  constructor(
    private readonly clock: Clock,
    private readonly settings: Settings,
  ) {
    super();
  }

  override async apply(changes: readonly PresenceChange[]): Promise<PresenceTransition[]> {
    return changes.flatMap((change) => this.settle(change.lease.userId, change));
  }

  override renewAll(leases: readonly PresenceLease[]): Promise<PresenceTransition[]> {
    return this.apply(leases.map((lease) => ({ verb: 'renew', lease })));
  }

  override async sweep(): Promise<PresenceTransition[]> {
    return [...this.users.keys()].flatMap((userId) => this.settle(userId));
  }

  override async read(userIds: readonly string[]): Promise<Map<string, PresenceReading>> {
    const atMs = this.clock.now();
    return new Map(userIds.map((userId) => [userId, { status: this.users.get(userId)?.told ?? 'offline', atMs }]));
  }

  private settle(userId: string, change?: PresenceChange): PresenceTransition[] {
    const now = this.clock.now();
    const user = this.users.get(userId) ?? { leases: new Map(), told: 'offline', graceEnd: null, seenAtMs: now };
    this.users.set(userId, user);
    if (change) this.carryOut(user, change, now);
    const best = addUp(user, now);
    if (change && (best !== 'offline' || change.verb !== 'renew')) user.seenAtMs = now;
    const hasChanged = this.hasChanged(user, best, now, change?.verb);
    if (hasChanged) user.told = best;
    if (user.leases.size === 0 && user.told === 'offline') this.users.delete(userId);
    if (!hasChanged) return [];
    this.lastUs = Math.max(this.lastUs + 1, now * 1_000);
    return [{ userId, status: best, seenAtMs: user.seenAtMs, atUs: this.lastUs }];
  }

  private carryOut(user: User, { verb, lease }: PresenceChange, now: number): void {
    const { connectionId, deviceId, status } = lease;
    const own = user.leases.get(connectionId);
    const endsAt = now + this.settings.presenceTtlMs;
    if (verb === 'disconnect') {
      user.leases.delete(connectionId);
    } else if (verb === 'intend') {
      for (const other of user.leases.values()) if (other.deviceId === deviceId) other.status = status;
      user.leases.set(connectionId, { endsAt: own?.endsAt ?? endsAt, status, deviceId });
    } else {
      const isKept = verb === 'renew' && own !== undefined && own.endsAt > now;
      user.leases.set(connectionId, { endsAt, status: isKept ? own.status : status, deviceId });
    }
  }

  private hasChanged(user: User, best: DeviceStatus, now: number, verb?: PresenceChange['verb']): boolean {
    if (rank[best] < rank[user.told]) {
      if (verb === 'disconnect') user.graceEnd ??= now + this.settings.presenceGraceMs;
      if (user.graceEnd !== null && user.graceEnd > now) return false;
    }
    user.graceEnd = null;
    return best !== user.told;
  }
}

/** Drops what has ended, and returns the best of what is left. */
function addUp(user: User, now: number): DeviceStatus {
  let best: DeviceStatus = 'offline';
  for (const [connectionId, { endsAt, status }] of user.leases) {
    if (endsAt <= now) user.leases.delete(connectionId);
    else if (rank[status] > rank[best]) best = status;
  }
  return best;
}
