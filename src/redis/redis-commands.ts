import type { LuaScript } from './lua-script.js';
import type { RedisKey } from './redis-keys.js';

/** A {@link RedisKey} stands for the key in this deployment's namespace, wherever it stands. */
export type RedisArgument = string | number | RedisKey;

/** A script with its keys (all with the same hash tag) and arguments. */
export interface ScriptCall {
  script: LuaScript;
  keys: readonly RedisKey[];
  args?: readonly RedisArgument[];
}

/** A plain command and its arguments, as Redis documents them: `['zrem', key, member]`. */
export type PlainCall = readonly [command: string, ...args: RedisArgument[]];

export type RedisCall = ScriptCall | PlainCall;

/** Passed to listeners when Redis works again. */
export interface RedisReturn {
  /** How long ago, in milliseconds, Redis was last known to work. */
  awayMs: number;
  /**
   * True when what was written before is known to be gone (restart without its data, `FLUSHALL`).
   */
  wasEmptied: boolean;
}

/**
 * Commands to Redis, for the stores of every folder. Exists under the Redis engine only.
 *
 * Guarantees: a call answers within about `REDIS_TIMEOUT_MS`, and at once while Redis is known to
 * be away; it is sent at most once, except that a script Redis does not know (restart, `SCRIPT
 * FLUSH`) is sent again with its source. When Redis is away, hung, loading, full or read-only, or
 * denies the command, a call is `ChatError UNAVAILABLE` with `retryAfterMs`, and the outcome is
 * unknown; any other error is the driver's own.
 */
export abstract class RedisCommands {
  /** Whether the last sign of life was good. Calls made while it is false fail at once. */
  abstract readonly isHealthy: boolean;
  /** Why not, in words for an operator; null while healthy. */
  abstract readonly fault: string | null;
  /** @returns the script's reply; numbers come as numbers, bulk strings as strings */
  abstract run(script: LuaScript, keys: readonly RedisKey[], args?: readonly RedisArgument[]): Promise<unknown>;
  abstract call(command: string, ...args: RedisArgument[]): Promise<unknown>;
  /**
   * Several calls, sent together: one round trip on a single Redis, one per node concerned on a
   * Cluster. Not a transaction, and no order is promised.
   *
   * @returns the replies in the order of the calls
   * @throws the first failure; the other calls may have been carried out
   */
  abstract runMany(calls: readonly RedisCall[]): Promise<unknown[]>;
  /** Called when Redis works again after it did not, and when it was found emptied. */
  abstract onBack(listener: (back: RedisReturn) => void): void;
}
