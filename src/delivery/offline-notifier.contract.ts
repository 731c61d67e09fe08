import assert from 'node:assert/strict';
import { newId, newRandomId, type ContractCase } from '../common/index.js';
import type { OfflineNotification, OfflineNotifier } from './offline.notifier.js';

export interface OfflineNotifierSubject {
  notifier: OfflineNotifier;
  /** How many notifications have gone out so far: asked of the stand-in of the push service. */
  sent(): number | Promise<number>;
  /** A user it can notify. */
  userId: string;
}

const patienceMs = 4_500;

function notificationFor(userId: string): OfflineNotification {
  return {
    eventId: newRandomId(),
    userId,
    conversationId: newId(),
    messageId: newId(),
    seq: 1,
    senderId: 'somebody',
    createdAt: new Date().toISOString(),
  };
}

/** What every {@link OfflineNotifier} must do. */
export const offlineNotifierContract: ContractCase<OfflineNotifierSubject>[] = [
  {
    name: 'sends each notification, in time',
    async check({ notifier, sent, userId }) {
      const before = await sent();
      const startedAt = performance.now();
      await notifier.notify(notificationFor(userId));
      assert.ok(performance.now() - startedAt < patienceMs, `no answer within ${patienceMs} ms counts as failure`);
      assert.equal(await sent(), before + 1);
    },
  },
  {
    name: 'drops an event it has seen, one after the other and at once',
    async check({ notifier, sent, userId }) {
      const before = await sent();
      const notification = notificationFor(userId);
      await Promise.allSettled([notifier.notify(notification), notifier.notify(notification)]);
      await notifier.notify(notification);
      assert.equal(await sent(), before + 1);
    },
  },
  {
    name: 'takes fifty at a time',
    async check({ notifier, sent, userId }) {
      const before = await sent();
      await Promise.all(Array.from({ length: 50 }, () => notifier.notify(notificationFor(userId))));
      assert.equal(await sent(), before + 50);
    },
  },
];
