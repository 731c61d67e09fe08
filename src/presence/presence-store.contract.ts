import assert from 'node:assert/strict';
import type { DeviceStatus, PresenceChange, PresenceLease, PresenceStore } from './presence.store.js';

export interface PresenceStoreSubject {
  store: PresenceStore;
  /** A second node's view of the same state; the same object where there is one process only. */
  other: PresenceStore;
  /** Lets the store's clock advance. */
  advance(ms: number): Promise<void>;
  /** A user no other case knows. */
  userId: string;
}

/**
 * One promise of {@link PresenceStore}; runs under any test runner, and throws when it is broken.
 */
export interface PresenceStoreCase {
  name: string;
  check(subject: PresenceStoreSubject): Promise<void>;
}

/** The settings the subject's store must have. */
export const presenceContractSettings = { presenceTtlMs: 300, presenceGraceMs: 100 };

const { presenceTtlMs: ttlMs, presenceGraceMs: graceMs } = presenceContractSettings;

type Verb = PresenceChange['verb'];

/** Shorthand for what happens to one user: `[verb, connection, device, status]`. */
function scene({ store, userId }: PresenceStoreSubject) {
  const lease = (connectionId: string, deviceId = connectionId, status: DeviceStatus = 'online'): PresenceLease => ({
    userId,
    connectionId,
    deviceId,
    status,
  });
  const does = async (verb: Verb, connectionId: string, deviceId?: string, status?: DeviceStatus, by = store) => {
    const transitions = await by.apply([{ verb, lease: lease(connectionId, deviceId, status) }]);
    return transitions.filter((one) => one.userId === userId).map((one) => one.status);
  };
  const swept = async (by = store) => {
    const transitions = await by.sweep();
    return transitions.filter((one) => one.userId === userId).map((one) => one.status);
  };
  const status = async (by = store) => (await by.read([userId])).get(userId)?.status;
  return { lease, does, swept, status };
}

/** The rules for every backend of {@link PresenceStore}. */
export const presenceStoreContract: PresenceStoreCase[] = [
  {
    name: 'hands out one transition at the first connection and none at the next',
    async check(subject) {
      const { does, status } = scene(subject);
      assert.equal(await status(), 'offline');
      assert.deepEqual(await does('connect', 'a'), ['online']);
      assert.deepEqual(await does('connect', 'b'), []);
      assert.equal(await status(subject.other), 'online');
    },
  },
  {
    name: 'waits for the grace period after the last disconnect, and hands the end out once',
    async check(subject) {
      const { does, swept, status } = scene(subject);
      await does('connect', 'a');
      await does('connect', 'b');
      assert.deepEqual(await does('disconnect', 'a'), []);
      assert.deepEqual(await does('disconnect', 'b'), []);
      assert.deepEqual(await swept(), []);
      assert.equal(await status(), 'online');
      await subject.advance(graceMs + 30);
      const found = await Promise.all([swept(), swept(subject.other), swept(), swept(subject.other)]);
      assert.deepEqual(found.flat(), ['offline']);
      assert.equal(await status(), 'offline');
    },
  },
  {
    name: 'takes a reconnection within the grace period for no change',
    async check(subject) {
      const { does, swept } = scene(subject);
      await does('connect', 'a');
      await does('disconnect', 'a');
      assert.deepEqual(await does('connect', 'b', 'a', 'online', subject.other), []);
      await subject.advance(graceMs + 30);
      assert.deepEqual(await swept(), []);
    },
  },
  {
    name: 'ends leases that are not renewed, and keeps those that are',
    async check(subject) {
      const { does, swept, status } = scene(subject);
      await does('connect', 'a');
      await subject.advance(ttlMs / 2);
      assert.deepEqual(await does('renew', 'a'), []);
      await subject.advance(ttlMs / 2 + 30);
      assert.deepEqual(await swept(subject.other), []);
      await subject.advance(ttlMs / 2 + 30);
      assert.deepEqual(await swept(subject.other), ['offline']);
      assert.equal(await status(), 'offline');
    },
  },
  {
    name: 'makes a user online again when a lease that had ended is renewed',
    async check(subject) {
      const { does, swept, lease } = scene(subject);
      await does('connect', 'a');
      await subject.advance(ttlMs + 30);
      await swept();
      const transitions = await subject.store.renewAll([lease('a')], []);
      assert.deepEqual(
        transitions.map(({ status }) => status),
        ['online'],
      );
      assert.deepEqual(await does('renew', 'a'), []);
    },
  },
  {
    name: 'lets online beat away over devices, and counts a device that wants to be offline as that',
    async check(subject) {
      const { does, status } = scene(subject);
      await does('connect', 'a');
      await does('connect', 'b');
      assert.deepEqual(await does('intend', 'a', 'a', 'away'), []);
      assert.deepEqual(await does('intend', 'b', 'b', 'away'), ['away']);
      assert.deepEqual(await does('intend', 'a', 'a', 'online'), ['online']);
      assert.deepEqual(await does('intend', 'a', 'a', 'offline'), ['away']);
      assert.deepEqual(await does('intend', 'b', 'b', 'offline'), ['offline']);
      assert.equal(await status(), 'offline');
      assert.deepEqual(await does('renew', 'a', 'a', 'offline'), []);
      assert.deepEqual(await does('intend', 'b', 'b', 'online'), ['online']);
    },
  },
  {
    name: 'takes an intent for all sockets of the device, and keeps it when another of them is renewed',
    async check(subject) {
      const { does } = scene(subject);
      await does('connect', 'a', 'phone');
      await does('connect', 'b', 'phone');
      assert.deepEqual(await does('intend', 'a', 'phone', 'offline'), ['offline']);
      assert.deepEqual(await does('renew', 'b', 'phone', 'online'), []);
    },
  },
  {
    name: 'waits for the grace period before a disconnect makes the rest look away',
    async check(subject) {
      const { does, swept } = scene(subject);
      await does('connect', 'a');
      await does('connect', 'b');
      await does('intend', 'b', 'b', 'away');
      assert.deepEqual(await does('disconnect', 'a'), []);
      assert.deepEqual(await does('renew', 'b', 'b', 'away'), []);
      await subject.advance(graceMs + 30);
      assert.deepEqual(await swept(), ['away']);
    },
  },
  {
    name: 'says when the user was last seen: at the disconnect, or at the last renewal',
    async check(subject) {
      const { lease } = scene(subject);
      const [start] = await subject.store.apply([{ verb: 'connect', lease: lease('a') }]);
      await subject.advance(100);
      await subject.store.apply([{ verb: 'renew', lease: lease('a') }]);
      await subject.advance(ttlMs + 30);
      const end = (await subject.store.sweep()).find(({ userId }) => userId === subject.userId);
      const passedMs = end!.seenAtMs - start!.seenAtMs;
      assert.ok(passedMs >= 100 && passedMs < 100 + ttlMs, `${passedMs}`);
    },
  },
  {
    name: 'says when each transition happened',
    async check(subject) {
      const { lease } = scene(subject);
      const times: number[] = [];
      for (const status of ['online', 'away', 'online', 'away'] as const) {
        const change = { verb: 'intend' as const, lease: lease('a', 'a', status) };
        const [transition] = await (times.length % 2 ? subject.other : subject.store).apply([change]);
        times.push(transition!.atUs);
        await subject.advance(2);
      }
      const [first, last] = [times[0]!, times.at(-1)!];
      assert.deepEqual(
        times,
        [...new Set(times)].sort((a, b) => a - b),
      );
      assert.ok(last - first >= 6_000 && last - first < 60_000_000, `${last - first}`);
    },
  },
  {
    name: 'reads and renews many users at once',
    async check(subject) {
      const userIds = Array.from({ length: 700 }, (_, i) => `${subject.userId}-${i}`);
      const leases = userIds.map((userId) => ({ ...scene(subject).lease('a'), userId }));
      assert.equal((await subject.store.renewAll(leases, [])).length, 700);
      const readings = await subject.other.read([...userIds, `${subject.userId}-nobody`]);
      assert.equal(readings.size, 701);
      assert.equal([...readings.values()].filter(({ status }) => status === 'online').length, 700);
      await subject.store.apply(leases.map((lease) => ({ verb: 'disconnect', lease })));
    },
  },
  {
    name: 'takes user and device ids of any printable characters',
    async check({ store, userId }) {
      const odd = { userId: `${userId}{} \n@told`, connectionId: 'a', deviceId: 'a.b_c-d', status: 'away' as const };
      const transitions = await store.apply([{ verb: 'connect', lease: odd }]);
      assert.equal(transitions[0]?.userId, odd.userId);
      assert.equal((await store.read([odd.userId])).get(odd.userId)?.status, 'away');
    },
  },
  {
    name: 'takes the disconnect of what is not there for done',
    async check(subject) {
      const { does, status } = scene(subject);
      assert.deepEqual(await does('disconnect', 'a'), []);
      assert.equal(await status(), 'offline');
    },
  },
];
