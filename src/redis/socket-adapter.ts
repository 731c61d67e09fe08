import { createAdapter, createShardedAdapter } from '@socket.io/redis-adapter';
import type { Namespace } from 'socket.io';
import type { RedisClient, RedisClients } from './redis-client.js';

/** What Socket.IO's `adapter` option takes. */
export type SocketAdapter = (namespace: Namespace) => ReturnType<ReturnType<typeof createAdapter>>;

/** Failures of the adapter's own traffic, which nobody awaits. */
export interface SocketAdapterFaults {
  count: number;
}

// The adapter awaits none of these, and ioredis calls the subscribing ones itself after a
// reconnect.
const unawaited = [
  'publish',
  'spublish',
  'subscribe',
  'psubscribe',
  'ssubscribe',
  'unsubscribe',
  'punsubscribe',
  'sunsubscribe',
] as const;

type AnyCommand = (...args: unknown[]) => Promise<unknown>;

function quiet(client: RedisClient, faults: SocketAdapterFaults): RedisClient {
  const commands = client as unknown as Record<string, AnyCommand>;
  for (const name of unawaited) {
    const send = commands[name]!.bind(client);
    commands[name] = (...args) =>
      send(...args).catch(() => {
        faults.count++;
        return 0;
      });
  }
  return client;
}

/**
 * The Socket.IO adapter on Redis, on connections of its own: classic on a single Redis, sharded on
 * a Redis Cluster.
 *
 * For code of embedding applications that calls `server.to(room).emit()` or
 * `server.serverSideEmit()`. At most once, like Socket.IO itself; a failed publish is counted,
 * never an unhandled rejection. Our own fan-out goes over the `NodeBus`.
 *
 * @param clients null under the memory engine: Socket.IO's own adapter does for one process
 */
export function redisSocketAdapter(
  clients: RedisClients | null,
  faults: SocketAdapterFaults = { count: 0 },
): SocketAdapter | null {
  if (clients === null) return null;
  const publisher = quiet(clients.connect('command'), faults);
  const subscriber = quiet(clients.connect('adapter'), faults);
  const create = clients.isCluster ? createShardedAdapter : createAdapter;
  return create(publisher, subscriber) as SocketAdapter;
}

/** Makes the adapter when the Socket.IO server is made, and only then. */
export class SocketAdapterFactory {
  readonly faults: SocketAdapterFaults = { count: 0 };

  constructor(private readonly clients: RedisClients | null) {}

  /** @returns null under the memory engine */
  create(): SocketAdapter | null {
    return redisSocketAdapter(this.clients, this.faults);
  }
}
