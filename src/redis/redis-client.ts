import { Cluster, Redis, type ClusterOptions, type RedisOptions } from 'ioredis';
import { RedisReason } from './redis-reason.js';
import type { RedisTarget } from './redis-target.js';

/** A connection to a single Redis, or to a Redis Cluster. Stays inside this folder. */
export type RedisClient = Redis | Cluster;

/**
 * `command`: fails at once while away. `subscriber`: one subscription, made by its owner.
 * `adapter`: waits while away.
 */
export type RedisClientRole = 'command' | 'subscriber' | 'adapter';

const maxRetryDelayMs = 1_000;
const closeTimeoutMs = 500;
const disconnectTimeoutMs = 100;

/** Grows to a second; the jitter keeps the nodes from knocking all at once when Redis is back. */
function retryDelay(attempt: number): number {
  return Math.min(50 * 2 ** Math.min(attempt, 6), maxRetryDelayMs) * (0.5 + Math.random() / 2);
}

/**
 * ioredis asks for every command that failed, and each yes puts another listener on the socket it
 * closes.
 */
function onceReadOnly(): (error: Error) => boolean {
  let agreedAt = -Infinity;
  return ({ message }) => {
    if (!message.startsWith('READONLY') || performance.now() - agreedAt < disconnectTimeoutMs) return false;
    agreedAt = performance.now();
    return true;
  };
}

/**
 * Opens clients whose every wait is bounded and which never let an outage end the process.
 *
 * A client connects by itself, also to a Redis that is away at start, and reconnects for ever.
 * Commands that were in flight when a connection broke fail: they are never sent twice.
 */
export class RedisClients {
  readonly isCluster: boolean;
  /** The number in `REDIS_URL`. */
  readonly database: number;
  private readonly open = new Set<RedisClient>();
  private readonly reasons = new WeakMap<RedisClient, RedisReason>();

  constructor(
    private readonly target: RedisTarget,
    private readonly timeoutMs: number,
  ) {
    this.isCluster = target.isCluster;
    this.database = target.access.db ?? 0;
  }

  /**
   * @param onFault receives the connection errors, which are reported nowhere else; {@link
   *   reasonOf} explains them
   */
  connect(role: RedisClientRole, onFault: (error: Error) => void = () => undefined): RedisClient {
    const client = this.isCluster ? this.connectCluster(role) : this.connectSingle(role);
    this.reasons.set(client, new RedisReason(client, this.target));
    client.on('error', onFault);
    this.open.add(client);
    return client;
  }

  /** Why a client that {@link connect} made has no connection. */
  reasonOf(client: RedisClient): RedisReason {
    return this.reasons.get(client)!;
  }

  /** Cuts a client that is not wanted any more; it does not reconnect. */
  discard(client: RedisClient): void {
    this.open.delete(client);
    client.disconnect();
  }

  /** Says goodbye on all connections, and cuts within 500 ms those that do not answer. */
  async close(): Promise<void> {
    const clients = [...this.open];
    const farewells = Promise.allSettled(clients.map((client) => client.quit()));
    let timer: NodeJS.Timeout | undefined;
    const limit = new Promise((resolve) => (timer = setTimeout(resolve, closeTimeoutMs)));
    await Promise.race([farewells, limit]);
    clearTimeout(timer);
    for (const client of clients) this.discard(client);
  }

  private connectSingle(role: RedisClientRole): Redis {
    const options: RedisOptions = {
      ...this.commonOptions(role),
      ...this.whereabouts(),
      enableOfflineQueue: role === 'adapter',
      retryStrategy: retryDelay,
    };
    return new Redis(options);
  }

  private whereabouts(): RedisOptions {
    const { nodes, sentinel, access } = this.target;
    if (sentinel === null) return nodes[0]!;
    return {
      sentinels: nodes,
      name: sentinel.name,
      ...(sentinel.username === undefined ? {} : { sentinelUsername: sentinel.username }),
      ...(sentinel.password === undefined ? {} : { sentinelPassword: sentinel.password }),
      ...(access.tls === undefined ? {} : { enableTLSForSentinelMode: true, sentinelTLS: access.tls }),
      sentinelRetryStrategy: retryDelay,
      sentinelCommandTimeout: this.timeoutMs,
    };
  }

  private connectCluster(role: RedisClientRole): Cluster {
    const options: ClusterOptions = {
      redisOptions: this.commonOptions(role),
      enableOfflineQueue: role === 'adapter',
      clusterRetryStrategy: retryDelay,
      // A retried command may run twice; the caller decides.
      retryDelayOnFailover: 0,
      retryDelayOnClusterDown: 0,
      slotsRefreshInterval: 2_000,
      slotsRefreshTimeout: this.timeoutMs,
      // Without it ioredis takes SSUBSCRIBE and nothing ever arrives.
      shardedSubscribers: role !== 'command',
    };
    return new Cluster(this.target.nodes, options);
  }

  private commonOptions(role: RedisClientRole): RedisOptions {
    return {
      ...this.target.access,
      connectionName: `parley-${role}`,
      disableClientInfo: true,
      connectTimeout: this.timeoutMs,
      disconnectTimeout: disconnectTimeoutMs,
      keepAlive: 10_000,
      // A subscription of the adapter is made when Redis comes, however late.
      ...(role === 'adapter' ? {} : { commandTimeout: this.timeoutMs }),
      // 0, not 1: what is in flight when the connection breaks is failed at once, not sent again.
      maxRetriesPerRequest: role === 'adapter' ? null : 0,
      autoResendUnfulfilledCommands: false,
      // ioredis resubscribes without catching a failure; our subscriber does it itself.
      autoResubscribe: role === 'adapter',
      // After a failover behind one address the old connection leads to a replica.
      reconnectOnError: onceReadOnly(),
    };
  }
}
