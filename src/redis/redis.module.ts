import { Global, Module, type DynamicModule, type FactoryProvider, type OnApplicationShutdown } from '@nestjs/common';
import { DeploymentIdentity } from '../common/index.js';
import { Settings } from '../config/index.js';
import { ConnectionLeaseStore } from './connection-lease.store.js';
import { Engine, storeProvider } from './engine.js';
import { MemoryConnectionLeaseStore } from './memory.connection-lease.store.js';
import { MemoryNodeBus } from './memory.node-bus.js';
import { NodeBus } from './node-bus.js';
import { RedisCommands } from './redis-commands.js';
import { RedisConnection } from './redis-connection.js';
import { RedisHealth } from './redis-health.js';
import { RedisConnectionLeaseStore } from './redis.connection-lease.store.js';
import { SocketAdapterFactory } from './socket-adapter.js';

/** Null under the memory engine. */
class RedisLifetime {
  constructor(readonly connection: RedisConnection | null) {}
}

function fromConnection<T>(
  provide: FactoryProvider<T>['provide'],
  make: (connection: RedisConnection | null) => T,
): FactoryProvider<T> {
  return {
    provide,
    inject: [RedisLifetime],
    useFactory: (lifetime: RedisLifetime) => make(lifetime.connection),
  };
}

const lifetime: FactoryProvider<RedisLifetime> = {
  provide: RedisLifetime,
  inject: [Settings, DeploymentIdentity],
  useFactory: async ({ redisUrl, redisTimeoutMs, redisPrefix }: Settings, identity: DeploymentIdentity) => {
    if (redisUrl === undefined) return new RedisLifetime(null);
    const place = { prefix: redisPrefix, deployment: await identity.read() };
    return new RedisLifetime(await RedisConnection.open(redisUrl, redisTimeoutMs, place));
  },
};

const offered: FactoryProvider[] = [
  fromConnection<Engine>(Engine, (connection) => ({ kind: connection === null ? 'memory' : 'redis' })),
  fromConnection<NodeBus>(NodeBus, (connection) => connection?.bus ?? new MemoryNodeBus()),
  fromConnection<RedisCommands | null>(RedisCommands, (connection) => connection?.commands ?? null),
  fromConnection(RedisHealth, (connection) => new RedisHealth(connection)),
  fromConnection(SocketAdapterFactory, (connection) => new SocketAdapterFactory(connection)),
  storeProvider(ConnectionLeaseStore, { redis: RedisConnectionLeaseStore, memory: MemoryConnectionLeaseStore }),
];

/**
 * Chooses the engine: Redis when `REDIS_URL` is set, else memory. Needs a {@link
 * DeploymentIdentity} from a global module. `RedisCommands` is null under the memory engine, where
 * no provider uses it; {@link storeProvider} makes the stores.
 *
 * Connections are open before any provider that needs them is constructed, and close in
 * `onApplicationShutdown`: last work with Redis belongs in `beforeApplicationShutdown` or earlier.
 */
@Global()
@Module({})
export class RedisModule implements OnApplicationShutdown {
  constructor(private readonly lifetime: RedisLifetime) {}

  static forRoot(): DynamicModule {
    return {
      module: RedisModule,
      providers: [lifetime, ...offered],
      exports: offered.map(({ provide }) => provide),
    };
  }

  async onApplicationShutdown(): Promise<void> {
    await this.lifetime.connection?.close();
  }
}
