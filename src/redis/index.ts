/**
 * Redis, or its stand-in in the memory of one process: the engine choice, the bus between nodes,
 * commands and scripts.
 *
 * Guarantees: every call is bounded in time, and fails at once with `ChatError UNAVAILABLE` while
 * Redis is away; an outage ends no process, at start or later, and heals without a restart. It does
 * not guarantee that anything written survives.
 */
export {
  connectionLeaseContract,
  type ConnectionLeaseCase,
  type ConnectionLeaseSubject,
} from './connection-lease.contract.js';
export { ConnectionLeaseStore, type ConnectionLease } from './connection-lease.store.js';
export { Engine, storeProvider } from './engine.js';
export { loadLua, type LuaScript } from './lua-script.js';
export { MemoryConnectionLeaseStore } from './memory.connection-lease.store.js';
export { MemoryNodeBus } from './memory.node-bus.js';
export { NodeBus, type BusHandler } from './node-bus.js';
export {
  RedisCommands,
  type PlainCall,
  type RedisArgument,
  type RedisCall,
  type RedisReturn,
  type ScriptCall,
} from './redis-commands.js';
export { RedisConnection } from './redis-connection.js';
export { isRedisAway } from './redis-errors.js';
export { RedisHealth, type RedisHealthReport } from './redis-health.js';
export {
  absentDevicesKey,
  connectionLeasesKey,
  messageBudgetKey,
  presenceDueKey,
  presenceEpochKey,
  presenceUserKey,
  offlineQueueKey,
  RedisKey,
  redisKeys,
  typingDueKey,
  typingKey,
  type RedisKeyEntry,
} from './redis-keys.js';
export { shardOf } from './shard.js';
export { RedisModule } from './redis.module.js';
export { SocketAdapterFactory } from './socket-adapter.js';
