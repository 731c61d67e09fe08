import type { Cluster, Redis } from 'ioredis';
import type { RedisClient, RedisClients } from './redis-client.js';

export interface BusSubscriptionEvents {
  onMessage(text: string): void;
  /** Redis has taken the subscription. */
  onSubscribed(): void;
  /** The connection broke: messages may be missed from now on. */
  onLost(reason: string): void;
}

/**
 * One channel, subscribed whenever there is a connection; sharded on a Redis Cluster.
 *
 * It tells when it knows that it is cut off, but cannot know all cases (a hung Redis, a link that
 * drops packets): its owner watches what arrives, and calls {@link reopen}.
 */
export class BusSubscription {
  /** Why there was no subscription when it was looked at last; null while there is one. */
  fault: string | null = null;
  private client: RedisClient | null = null;
  private openedAt = 0;

  constructor(
    private readonly clients: RedisClients,
    private readonly channel: string,
    private readonly events: BusSubscriptionEvents,
  ) {}

  /** Milliseconds since the present connection was first asked for. */
  get ageMs(): number {
    return performance.now() - this.openedAt;
  }

  /** Starts from nothing with a new connection; what the old one still brings is dropped. */
  reopen(): void {
    this.close();
    this.openedAt = performance.now();
    const client = this.clients.connect('subscriber', (error) => this.lost(client, error));
    this.client = client;
    client.on('ready', () => void this.subscribe(client));
    client.on('close', () => this.lost(client, 'the connection is closed'));
    if (this.clients.isCluster) this.watchCluster(client as Cluster);
    else (client as Redis).on('message', (_channel: string, text: string) => this.take(client, text));
  }

  close(): void {
    const { client } = this;
    this.client = null;
    if (client) this.clients.discard(client);
  }

  private watchCluster(client: Cluster): void {
    client.on('smessage', (_channel: string, text: string) => this.take(client, text));
    for (const event of ['-node', '-subscriber']) {
      client.on(event, () => this.lost(client, 'a node of the cluster is gone'));
    }
  }

  private async subscribe(client: RedisClient): Promise<void> {
    try {
      if (this.clients.isCluster) await client.ssubscribe(this.channel);
      else await client.subscribe(this.channel);
      if (client !== this.client) return;
      this.fault = null;
      this.events.onSubscribed();
    } catch (error) {
      this.lost(client, error);
    }
  }

  private take(client: RedisClient, text: string): void {
    if (client === this.client) this.events.onMessage(text);
  }

  private lost(client: RedisClient, error: unknown): void {
    if (client !== this.client) return;
    this.fault = this.clients.reasonOf(client).of(error);
    this.events.onLost(this.fault);
  }
}
