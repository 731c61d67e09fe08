import assert from 'node:assert/strict';
import { newId } from '../common/index.js';
import type { OfflineQueueStore } from './offline-queue.store.js';

export interface OfflineQueueSubject {
  /** Keeps 3 conversations a device, for 1 s. */
  store: OfflineQueueStore;
  /** Lets the store's clock advance. */
  advance(ms: number): Promise<void>;
  /** A user no other case knows. */
  userId: string;
}

/**
 * One promise of {@link OfflineQueueStore}; runs under any test runner, and throws when it is
 * broken.
 */
export interface OfflineQueueCase {
  name: string;
  check(subject: OfflineQueueSubject): Promise<void>;
}

const pointer = (rev = 1) => ({ conversationId: newId(), rev });

/** What every backend of {@link OfflineQueueStore} must do. */
export const offlineQueueContract: OfflineQueueCase[] = [
  {
    name: 'gives back what was added between leaving and returning, each conversation with its first rev',
    async check({ store, userId }) {
      const [before, during, after] = [pointer(1), pointer(2), pointer(3)];
      await store.begin(userId, 'phone', 'a');
      await store.add([{ userId, pointers: [during] }]);
      assert.equal(await store.finish(userId, 'phone', 'a', [before]), true);
      await store.add([{ userId, pointers: [after, { ...during, rev: 9 }] }]);
      const found = await store.take(userId, 'phone');
      assert.deepEqual(
        found?.sort((a, b) => a.rev - b.rev),
        [before, during, after],
      );
    },
  },
  {
    name: 'says nothing of a device that never left, or whose leaving was not seen through',
    async check({ store, userId }) {
      assert.equal(await store.take(userId, 'phone'), null);
      await store.begin(userId, 'phone', 'a');
      await store.add([{ userId, pointers: [pointer()] }]);
      assert.equal(await store.take(userId, 'phone'), null);
    },
  },
  {
    name: 'does not see an absence through that is over, or that another one followed',
    async check({ store, userId }) {
      await store.begin(userId, 'phone', 'a');
      await store.begin(userId, 'phone', 'b');
      assert.equal(await store.finish(userId, 'phone', 'a', []), false);
      await store.take(userId, 'phone');
      assert.equal(await store.finish(userId, 'phone', 'b', []), false);
      assert.equal(await store.take(userId, 'phone'), null);
    },
  },
  {
    name: 'is taken once',
    async check({ store, userId }) {
      await store.begin(userId, 'phone', 'a');
      await store.finish(userId, 'phone', 'a', []);
      assert.deepEqual(await store.take(userId, 'phone'), []);
      assert.equal(await store.take(userId, 'phone'), null);
    },
  },
  {
    name: 'tells how many devices it keeps a queue for, and keeps them apart',
    async check({ store, userId }) {
      assert.equal((await store.add([{ userId, pointers: [pointer()] }]))[0]!.absentDevices, 0);
      for (const deviceId of ['phone', 'tablet']) {
        await store.begin(userId, deviceId, 'a');
        await store.finish(userId, deviceId, 'a', []);
      }
      const missed = pointer();
      assert.equal((await store.add([{ userId, pointers: [missed] }]))[0]!.absentDevices, 2);
      assert.deepEqual(await store.take(userId, 'phone'), [missed]);
      assert.equal((await store.add([{ userId, pointers: [pointer()] }]))[0]!.absentDevices, 1);
    },
  },
  {
    name: 'gives a queue up that grows above its cap',
    async check({ store, userId }) {
      await store.begin(userId, 'phone', 'a');
      await store.finish(userId, 'phone', 'a', [pointer(), pointer()]);
      await store.add([{ userId, pointers: [pointer(), pointer()] }]);
      assert.equal(await store.take(userId, 'phone'), null);
      await store.begin(userId, 'phone', 'b');
      assert.equal(await store.finish(userId, 'phone', 'b', [pointer(), pointer(), pointer(), pointer()]), false);
      assert.equal(await store.take(userId, 'phone'), null);
    },
  },
  {
    name: 'forgets after its expiry',
    async check({ store, userId, advance }) {
      await store.begin(userId, 'phone', 'a');
      await store.finish(userId, 'phone', 'a', []);
      await advance(1_200);
      assert.equal(await store.take(userId, 'phone'), null);
    },
  },
];
