import { Injectable } from '@nestjs/common';
import { Clock } from '../common/index.js';
import { ConnectionLeaseStore, type ConnectionLease } from './connection-lease.store.js';

/** Leases of the one process. */
@Injectable()
export class MemoryConnectionLeaseStore extends ConnectionLeaseStore {
  /** userId -> connectionId -> end of lease, Unix ms. */
  private readonly leases = new Map<string, Map<string, number>>();

  constructor(private readonly clock: Clock) {
    super();
  }

  override async acquire(userId: string, connectionId: string, { max, ttlMs }: { max: number; ttlMs: number }) {
    const held = this.running(userId);
    if (!held.has(connectionId) && held.size >= max) return false;
    this.put(userId, connectionId, ttlMs);
    return true;
  }

  override async renew(leases: readonly ConnectionLease[], ttlMs: number): Promise<void> {
    for (const { userId, connectionId } of leases) this.put(userId, connectionId, ttlMs);
  }

  override async release(userId: string, connectionId: string): Promise<void> {
    const held = this.leases.get(userId);
    held?.delete(connectionId);
    if (held?.size === 0) this.leases.delete(userId);
  }

  private put(userId: string, connectionId: string, ttlMs: number): void {
    const held = this.leases.get(userId) ?? new Map<string, number>();
    held.set(connectionId, this.clock.now() + ttlMs);
    this.leases.set(userId, held);
  }

  private running(userId: string): Map<string, number> {
    const held = this.leases.get(userId) ?? new Map<string, number>();
    for (const [connectionId, endsAt] of held) if (endsAt <= this.clock.now()) held.delete(connectionId);
    return held;
  }
}
