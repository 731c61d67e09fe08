/**
 * Nothing missed. Guarantees: what a device has not proven, or said, to have is delivered again on
 * its next connection, in order and before newer live messages of that conversation; losing
 * everything in Redis makes that slower, never less; `sync` tells everything that was committed
 * since a token, however late it committed; a user who is away is notified at least once. Does not
 * guarantee that nothing comes twice: clients drop repeats by id and rev.
 */
export { DeliveryModule, type DeliveryOptions } from './delivery.module.js';
export { MemoryOfflineQueueStore } from './memory.offline-queue.store.js';
export { CountingOfflineNotifier, OfflineNotifier, type OfflineNotification } from './offline.notifier.js';
export { offlineQueueContract, type OfflineQueueCase, type OfflineQueueSubject } from './offline-queue.contract.js';
export { OfflineQueueStore, type Absence, type QueueEntry, type QueuePointer } from './offline-queue.store.js';
