import assert from 'node:assert/strict';
import type { ConnectionLeaseStore } from './connection-lease.store.js';

export interface ConnectionLeaseSubject {
  store: ConnectionLeaseStore;
  /** Lets the store's clock advance. */
  advance(ms: number): Promise<void>;
  /** A user no other case knows. */
  userId: string;
}

/**
 * One promise of {@link ConnectionLeaseStore}; runs under any test runner, and throws when it is
 * broken.
 */
export interface ConnectionLeaseCase {
  name: string;
  check(subject: ConnectionLeaseSubject): Promise<void>;
}

const long = { max: 2, ttlMs: 60_000 };
const short = { max: 1, ttlMs: 80 };

/** The rules for every backend of {@link ConnectionLeaseStore}. */
export const connectionLeaseContract: ConnectionLeaseCase[] = [
  {
    name: 'refuses one connection more than max, and takes it after a release',
    async check({ store, userId }) {
      assert.equal(await store.acquire(userId, 'a', long), true);
      assert.equal(await store.acquire(userId, 'b', long), true);
      assert.equal(await store.acquire(userId, 'c', long), false);
      await store.release(userId, 'a');
      assert.equal(await store.acquire(userId, 'c', long), true);
    },
  },
  {
    name: 'counts each user alone',
    async check({ store, userId }) {
      assert.equal(await store.acquire(userId, 'a', { ...long, max: 1 }), true);
      assert.equal(await store.acquire(`${userId}}:x`, 'b', { ...long, max: 1 }), true);
    },
  },
  {
    name: 'renews instead of counting twice when a connection asks again',
    async check({ store, userId }) {
      assert.equal(await store.acquire(userId, 'a', { ...long, max: 1 }), true);
      assert.equal(await store.acquire(userId, 'a', { ...long, max: 1 }), true);
    },
  },
  {
    name: 'grants exactly max to many that ask at once',
    async check({ store, userId }) {
      const ids = Array.from({ length: 50 }, (_, index) => `c${index}`);
      const answers = await Promise.all(ids.map((id) => store.acquire(userId, id, { max: 20, ttlMs: 60_000 })));
      assert.equal(answers.filter(Boolean).length, 20);
    },
  },
  {
    name: 'forgets a lease that has run out',
    async check({ store, userId, advance }) {
      assert.equal(await store.acquire(userId, 'a', short), true);
      assert.equal(await store.acquire(userId, 'b', short), false);
      await advance(short.ttlMs + 20);
      assert.equal(await store.acquire(userId, 'b', short), true);
    },
  },
  {
    name: 'keeps a renewed lease beyond its first end, and others of the user only to theirs',
    async check({ store, userId, advance }) {
      await store.acquire(userId, 'a', { max: 2, ttlMs: short.ttlMs });
      await store.acquire(userId, 'b', { max: 2, ttlMs: short.ttlMs });
      await store.renew([{ userId, connectionId: 'a' }], 60_000);
      await advance(short.ttlMs + 20);
      assert.equal(await store.acquire(userId, 'c', long), true);
      assert.equal(await store.acquire(userId, 'd', long), false);
    },
  },
  {
    name: 'takes lost leases anew on renewal, for many users at once',
    async check({ store, userId }) {
      const users = Array.from({ length: 600 }, (_, index) => `${userId}-${index}`);
      const leases = users.flatMap((id) => ['a', 'b'].map((connectionId) => ({ userId: id, connectionId })));
      await store.renew(leases, 60_000);
      assert.equal(await store.acquire(users[0]!, 'c', long), false);
      assert.equal(await store.acquire(users[599]!, 'c', long), false);
    },
  },
  {
    name: 'takes the release of what is not there for done',
    async check({ store, userId }) {
      await store.release(userId, 'nobody');
    },
  },
];
