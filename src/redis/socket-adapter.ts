import { createAdapter, createShardedAdapter } from '@socket.io/redis-adapter';
import type { Namespace } from 'socket.io';
import { Logger } from '@nestjs/common';
import type { RedisClient, RedisClients } from './redis-client.js';
import { isRedisDenial } from './redis-errors.js';
import { RedisFaultLog } from './redis-fault-log.js';
import { socketAdapterChannel } from './redis-keys.js';
import { wordsOf } from './redis-reason.js';

/** The type of Socket.IO's `adapter` option. */
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

// ioredis calls the adapter's listeners while it reads: one that throws would end the process.
const listening = ['messageBuffer', 'pmessageBuffer', 'smessageBuffer'];

type AnyCommand = (...args: unknown[]) => Promise<unknown>;
type AnyListener = (...args: unknown[]) => unknown;
type Registration = (event: string, listener: AnyListener) => RedisClient;

/** Where the adapter finds Redis, and which channels are this deployment's. */
export interface SocketAdapterSource {
  readonly clients: RedisClients;
  readonly namespace: string;
}

/**
 * The Socket.IO adapter on Redis, with its own connections: classic on a single Redis, sharded on a
 * Redis Cluster.
 *
 * It is for embedding applications that call `server.to(room).emit()` or `server.serverSideEmit()`.
 * It delivers at most once, like Socket.IO itself. A failed publish, or a message that no adapter
 * has made, is counted, and never becomes an unhandled rejection or exception. Our own fan-out goes
 * over the `NodeBus`.
 */
export class SocketAdapterFactory {
  readonly faults: SocketAdapterFaults = { count: 0 };
  private readonly logger = new Logger(SocketAdapterFactory.name);
  private readonly log = new RedisFaultLog(SocketAdapterFactory.name);
  private hasToldMalformed = false;

  /** @param source null under the memory engine: Socket.IO's own adapter does for one process */
  constructor(private readonly source: SocketAdapterSource | null) {}

  /**
   * Makes the adapter together with the Socket.IO server, and only then. @returns null under the
   * memory engine
   */
  create(): SocketAdapter | null {
    if (this.source === null) return null;
    const { clients, namespace } = this.source;
    const publisher = this.quiet(clients, clients.connect('command'));
    const subscriber = this.guarded(this.quiet(clients, clients.connect('adapter')));
    const prefix = socketAdapterChannel().within(namespace);
    return (
      clients.isCluster
        ? createShardedAdapter(publisher, subscriber, { channelPrefix: prefix })
        : createAdapter(publisher, subscriber, { key: prefix })
    ) as SocketAdapter;
  }

  private quiet(clients: RedisClients, client: RedisClient): RedisClient {
    const commands = client as unknown as Record<string, AnyCommand>;
    for (const name of unawaited) {
      const send = commands[name]!.bind(client);
      commands[name] = (...args) =>
        send(...args).catch((error: unknown) => {
          this.faults.count++;
          // An outage is told by the link; a channel that is denied only here.
          if (isRedisDenial(error))
            this.log.fault(`${name} of Socket.IO's adapter: ${clients.reasonOf(client).of(error)}`);
          return 0;
        });
    }
    return client;
  }

  private guarded(client: RedisClient): RedisClient {
    const guards = new Map<AnyListener, AnyListener>();
    const guardOf = (event: string, listener: AnyListener): AnyListener => {
      if (!listening.includes(event)) return listener;
      const guard = guards.get(listener) ?? this.guard(listener);
      guards.set(listener, guard);
      return guard;
    };
    const on = client.on.bind(client) as Registration;
    const off = client.off.bind(client) as Registration;
    return Object.assign(client, {
      on: (event: string, listener: AnyListener) => on(event, guardOf(event, listener)),
      off: (event: string, listener: AnyListener) => off(event, guardOf(event, listener)),
    });
  }

  private guard(listener: AnyListener): AnyListener {
    return (...args) => {
      try {
        const result = listener(...args);
        if (result instanceof Promise) result.catch((error: unknown) => this.malformed(error));
      } catch (error) {
        this.malformed(error);
      }
    };
  }

  private malformed(error: unknown): void {
    this.faults.count++;
    if (this.hasToldMalformed) return;
    this.hasToldMalformed = true;
    this.logger.warn(
      `A message on the channels of Socket.IO's adapter that no adapter has made is ignored: ${wordsOf(error)}`,
    );
  }
}
