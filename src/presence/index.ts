/**
 * Presence: leases of connections over all nodes, combined per user, and sent to those who may see
 * it.
 *
 * Guarantees: one event per transition, whichever node finds it; a dead or frozen node's users are
 * offline within the TTL and 2 s; a reconnection within the grace period is no change; an emptied
 * Redis gives no false `user-offline`; while Redis is unavailable, answers are `unknown` and
 * nothing fails. Every event and answer passes the {@link PresencePolicy}. Events are sent at most
 * once. This folder uses Postgres only for the time a user was last seen, which `users` keeps.
 */
export { ContactsPresencePolicy } from './contacts.presence-policy.js';
export {
  presenceContractSettings,
  presenceStoreContract,
  type PresenceStoreCase,
  type PresenceStoreSubject,
} from './presence-store.contract.js';
export { PresenceModule, type PresenceModuleOptions } from './presence.module.js';
export { PresencePolicy, type PresenceSight } from './presence.policy.js';
export { PresenceService } from './presence.service.js';
export {
  PresenceStore,
  type DeviceStatus,
  type PresenceChange,
  type PresenceLease,
  type PresenceReading,
  type PresenceTransition,
} from './presence.store.js';
