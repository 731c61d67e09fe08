/**
 * Typing: which users type where, sent to the joined sockets of the other participants.
 *
 * Guarantees: typing begins once and ends once, by stop, send, leaving, disconnect, removal, block
 * or time, whichever comes first, also when the typist's node has died or Redis was emptied (then
 * some 2 s late), and in this order on every socket; every event lists all who type there, so that
 * a lost one heals itself. Told at most once, and not at all in groups above
 * `TYPING_MAX_PARTICIPANTS`. Never touches Postgres. While Redis is away, saying so fails with
 * `UNAVAILABLE`, and nothing else does.
 */
export { BlocksTypingPolicy } from './blocks.typing-policy.js';
export {
  typingContractSettings,
  typingStoreContract,
  type TypingStoreCase,
  type TypingStoreSubject,
} from './typing-store.contract.js';
export { TypingModule, type TypingModuleOptions } from './typing.module.js';
export { TypingPolicy } from './typing.policy.js';
export { TypingStore, type TypingEnd, type TypingStart, type Typist } from './typing.store.js';
