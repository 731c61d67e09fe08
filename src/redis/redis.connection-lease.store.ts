import { Injectable } from '@nestjs/common';
import { ConnectionLeaseStore, type ConnectionLease } from './connection-lease.store.js';
import { loadLua } from './lua-script.js';
import { RedisCommands, type ScriptCall } from './redis-commands.js';
import { connectionLeasesKey } from './redis-keys.js';

const acquireLease = loadLua(import.meta.url, './acquire-lease.lua');
const renewLeases = loadLua(import.meta.url, './renew-leases.lua');

/**
 * Users renewed in one round trip: keeps a node with many users below the time-out of a command.
 */
const renewBatch = 500;

/** Leases in a sorted set per user; the clock is that of Redis. */
@Injectable()
export class RedisConnectionLeaseStore extends ConnectionLeaseStore {
  constructor(private readonly redis: RedisCommands) {
    super();
  }

  override async acquire(userId: string, connectionId: string, { max, ttlMs }: { max: number; ttlMs: number }) {
    const reply = await this.redis.run(acquireLease, [connectionLeasesKey(userId)], [connectionId, max, ttlMs]);
    return reply === 1;
  }

  override async renew(leases: readonly ConnectionLease[], ttlMs: number): Promise<void> {
    const calls = renewCalls(leases, ttlMs);
    for (let from = 0; from < calls.length; from += renewBatch) {
      await this.redis.runMany(calls.slice(from, from + renewBatch));
    }
  }

  override async release(userId: string, connectionId: string): Promise<void> {
    await this.redis.call('zrem', connectionLeasesKey(userId), connectionId);
  }
}

function renewCalls(leases: readonly ConnectionLease[], ttlMs: number): ScriptCall[] {
  const byUser = new Map<string, string[]>();
  for (const { userId, connectionId } of leases) {
    const ids = byUser.get(userId);
    if (ids) ids.push(connectionId);
    else byUser.set(userId, [connectionId]);
  }
  return [...byUser].map(([userId, ids]) => ({
    script: renewLeases,
    keys: [connectionLeasesKey(userId)],
    args: [ttlMs, ...ids],
  }));
}
