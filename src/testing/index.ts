/**
 * `parley/testing`: tools to test extensions. It starts the whole server in a test, on the real
 * Postgres and the real Redis, with the test's own clock and tokens. It also contains contract
 * suites: the rules for every implementation of a seam or a store.
 *
 * Works under any test runner. Follows semantic versioning as the public face does; a new case of a
 * contract is a minor version. Not for production: it brings Postgres along.
 *
 * @see docs/extending/testing.md
 */
export { TestApp, type TestAppOptions } from './test-app.js';
export { TestClock } from './test-clock.js';
export { TestServices, type TestService } from './test-services.js';
export type { ContractCase } from '../common/index.js';

// Contracts of the seams: one of these runs for each class given to `ParleyModule.forRoot`.
export { authenticatorContract, type AuthenticatorSubject } from '../auth/authenticator.contract.js';
export { accessPolicyContract, type AccessPolicySubject } from '../conversations/access-policy.contract.js';
export { messageTypeContract, type MessageTypeSubject } from '../messaging/message-type.contract.js';
export { offlineNotifierContract, type OfflineNotifierSubject } from '../delivery/offline-notifier.contract.js';
export { presencePolicyContract, type PresencePolicySubject } from '../presence/presence-policy.contract.js';
export { typingPolicyContract, type TypingPolicySubject } from '../typing/typing-policy.contract.js';

// Contracts of the stores with their types, for authors of another backend.
export {
  ConnectionLeaseStore,
  connectionLeaseContract,
  type ConnectionLease,
  type ConnectionLeaseCase,
  type ConnectionLeaseSubject,
} from '../redis/index.js';
export {
  PresenceStore,
  presenceContractSettings,
  presenceStoreContract,
  type DeviceStatus,
  type PresenceChange,
  type PresenceLease,
  type PresenceReading,
  type PresenceStoreCase,
  type PresenceStoreSubject,
  type PresenceTransition,
} from '../presence/index.js';
export {
  TypingStore,
  typingContractSettings,
  typingStoreContract,
  type TypingEnd,
  type TypingStart,
  type TypingStoreCase,
  type TypingStoreSubject,
  type Typist,
} from '../typing/index.js';
export {
  OfflineQueueStore,
  offlineQueueContract,
  type Absence,
  type OfflineQueueCase,
  type OfflineQueueSubject,
  type QueueEntry,
  type QueuePointer,
} from '../delivery/index.js';
export { MessageBudgetStore, type BudgetGrant, type MessageRate } from '../messaging/index.js';
export {
  messageBudgetContract,
  type MessageBudgetCase,
  type MessageBudgetSubject,
} from '../messaging/message-budget.contract.js';
