import assert from 'node:assert/strict';
import type { MessageBudgetStore } from './message-budget.store.js';

export interface MessageBudgetSubject {
  store: MessageBudgetStore;
  /** Lets the store's clock advance. */
  advance(ms: number): Promise<void>;
  /** A user no other case knows. */
  userId: string;
}

/**
 * One promise of {@link MessageBudgetStore}; runs under any test runner, and throws when it is
 * broken.
 */
export interface MessageBudgetCase {
  name: string;
  check(subject: MessageBudgetSubject): Promise<void>;
}

const slow = { perSecond: 1, burst: 10 };

/** What every backend of {@link MessageBudgetStore} must do. */
export const messageBudgetContract: MessageBudgetCase[] = [
  {
    name: 'grants the burst in parts, and then says how long to wait',
    async check({ store, userId }) {
      assert.deepEqual(await store.lease(userId, 6, slow), { granted: 6, waitMs: 0 });
      assert.deepEqual(await store.lease(userId, 6, slow), { granted: 4, waitMs: 0 });
      const { granted, waitMs } = await store.lease(userId, 6, slow);
      assert.equal(granted, 0);
      assert.ok(waitMs > 500 && waitMs <= 1_000, `waitMs ${waitMs}`);
    },
  },
  {
    name: 'counts each user alone',
    async check({ store, userId }) {
      await store.lease(userId, 10, slow);
      assert.equal((await store.lease(`${userId}}:x`, 10, slow)).granted, 10);
    },
  },
  {
    name: 'grants exactly the burst to many that ask at once',
    async check({ store, userId }) {
      const grants = await Promise.all(Array.from({ length: 30 }, () => store.lease(userId, 1, slow)));
      assert.equal(grants.filter(({ granted }) => granted === 1).length, 10);
    },
  },
  {
    name: 'fills up with time, and not above the burst',
    async check({ store, userId, advance }) {
      const rate = { perSecond: 100, burst: 5 };
      await store.lease(userId, 5, rate);
      await advance(25);
      assert.ok((await store.lease(userId, 1, rate)).granted === 1);
      await advance(200);
      assert.equal((await store.lease(userId, 50, rate)).granted, 5);
    },
  },
];
