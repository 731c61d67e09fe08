import type { FactoryProvider, InjectionToken, Type } from '@nestjs/common';
import { ModuleRef } from '@nestjs/core';

/**
 * Where ephemeral state lives: in Redis, shared by all nodes, or in the memory of the one process.
 * A DI token.
 */
export abstract class Engine {
  abstract readonly kind: 'redis' | 'memory';
}

/**
 * Provides the backend of a store that fits the engine. The other backend is never constructed, so
 * a Redis backend may inject `RedisCommands`, which exists under the Redis engine only.
 *
 * @param token the store's abstract class
 * @param backends both are built by dependency injection, in the module that has this provider
 */
export function storeProvider<T>(
  token: InjectionToken<T>,
  backends: { redis: Type<T>; memory: Type<T> },
): FactoryProvider<T> {
  return {
    provide: token,
    inject: [Engine, ModuleRef],
    useFactory: (engine: Engine, moduleRef: ModuleRef) => moduleRef.create(backends[engine.kind]),
  };
}
