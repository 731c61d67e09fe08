import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startRedis, type TestRedis } from '../../test/setup/services.js';
import { newRandomId } from '../common/index.js';
import { makeSettings } from '../config/index.js';
// The spec opens what the module would open; the folder's index has no need to offer it.
import { RedisConnection } from '../redis/index.js';
import { MemoryPresenceStore } from './memory.presence.store.js';
import { presenceContractSettings, presenceStoreContract } from './presence-store.contract.js';
import type { PresenceLease } from './presence.store.js';
import { RedisPresenceStore } from './redis.presence.store.js';

const settings = makeSettings({ ...presenceContractSettings, jwtSecret: 'x'.repeat(32) });

describe('presence in memory', () => {
  it.each(presenceStoreContract)('$name', async ({ check }) => {
    let now = Date.now();
    const store = new MemoryPresenceStore({ now: () => now }, settings);
    await check({ store, other: store, userId: 'alice', advance: async (ms) => void (now += ms) });
  });
});

describe('presence in Redis', () => {
  let redis: TestRedis;
  let connection: RedisConnection;

  beforeAll(async () => {
    redis = await startRedis();
    connection = await RedisConnection.open(redis.url, 1_000);
  });

  afterAll(async () => {
    await connection?.close();
    await redis?.stop();
  });

  const newStore = () => new RedisPresenceStore(connection.commands, settings);

  it.each(presenceStoreContract)('$name', async ({ check }) => {
    // The clock is that of Redis: it can only be waited for.
    await check({ store: newStore(), other: newStore(), userId: newRandomId(), advance: (ms) => pause(ms) });
  });

  describe('when it is emptied', () => {
    const leaseOf = (userId: string, connectionId: string): PresenceLease => ({
      userId,
      connectionId,
      deviceId: connectionId,
      status: 'online',
    });

    it('hands out nothing twice, and says unknown for whom it may have lost', async () => {
      const [a, b] = [newStore(), newStore()];
      const [alice, bob] = [newRandomId(), newRandomId()];
      await a.apply([
        { verb: 'connect', lease: leaseOf(alice, 'a1') },
        { verb: 'connect', lease: leaseOf(bob, 'a2') },
      ]);
      await b.apply([{ verb: 'connect', lease: leaseOf(alice, 'b1') }]);
      await Promise.all([a.sweep(), b.sweep()]);
      await redis.flushAll();
      expect(await a.sweep()).toEqual([]);
      expect(a.isIncomplete).toBe(true);
      expect((await a.read([bob])).get(bob)?.status).toBe('unknown');
      expect(await a.renewAll([leaseOf(alice, 'a1'), leaseOf(bob, 'a2')], [])).toEqual([]);
      expect(a.isIncomplete).toBe(false);
      expect(await b.sweep()).toEqual([]);
      expect(await b.renewAll([leaseOf(alice, 'b1')], [])).toEqual([]);
      const statuses = [...(await b.read([alice, bob])).values()].map(({ status }) => status);
      expect(statuses).toEqual(['online', 'online']);
    });

    it('still returns the end of a user whose record was lost in the grace period', async () => {
      const store = newStore();
      const [alice, bob] = [newRandomId(), newRandomId()];
      const leases = [leaseOf(alice, 'a'), leaseOf(bob, 'b')] as const;
      await store.apply(leases.map((lease) => ({ verb: 'connect', lease })));
      await store.sweep();
      await store.apply([{ verb: 'disconnect', lease: leases[0] }]);
      await redis.flushAll();
      await store.apply([{ verb: 'disconnect', lease: leases[1] }]);
      expect(store.isIncomplete).toBe(true);
      expect(await store.renewAll([], leases)).toEqual([]);
      await pause(presenceContractSettings.presenceGraceMs + 30);
      const ended = (await store.sweep()).map(({ userId, status }) => `${userId} ${status}`);
      expect(ended.sort()).toEqual([`${alice} offline`, `${bob} offline`].sort());
    });

    it('does so, too, when it is a renewal that finds it emptied', async () => {
      const store = newStore();
      const leases = Array.from({ length: 200 }, (_, i) => leaseOf(newRandomId(), `c${i}`));
      const [gone, ...staying] = leases as [PresenceLease, ...PresenceLease[]];
      await store.apply(leases.map((lease) => ({ verb: 'connect', lease })));
      await store.apply([{ verb: 'disconnect', lease: gone }]);
      await redis.flushAll();
      expect(await store.renewAll(staying, [gone])).toEqual([]);
      expect(store.isIncomplete).toBe(true);
      expect(await store.renewAll(staying, [gone])).toEqual([]);
      expect(store.isIncomplete).toBe(false);
      await pause(presenceContractSettings.presenceGraceMs + 30);
      expect((await store.sweep()).map(({ userId, status }) => [userId, status])).toEqual([[gone.userId, 'offline']]);
    });
  });

  it('asks Redis a bounded number of times, however many users', async () => {
    const store = newStore();
    const userIds = Array.from({ length: 500 }, () => newRandomId());
    const before = await commandCount();
    await store.read(userIds);
    expect((await commandCount()) - before).toBeLessThanOrEqual(60);
  });

  /** Calls of the commands scripts and pipelines consist of, and of what they call. */
  async function commandCount(): Promise<number> {
    const info = String(await connection.commands.call('info', 'commandstats'));
    return [...info.matchAll(/cmdstat_(?:evalsha|eval):calls=(\d+)/g)].reduce(
      (sum, [, calls]) => sum + Number(calls),
      0,
    );
  }
});
