import { Logger } from '@nestjs/common';
import { decodeFrame, encodeFrame, type BusFrame } from './bus-frame.js';
import { BusSubscription } from './bus-subscription.js';
import { NodeBus, type BusHandler } from './node-bus.js';
import type { RedisClients } from './redis-client.js';
import type { RedisCommands } from './redis-commands.js';
import { redisUnavailable } from './redis-errors.js';
import { busChannel } from './redis-keys.js';

const pingIntervalMs = 1_000;
const awayPingIntervalMs = 250;
const silenceLimitMs = 3_000;
const maxPublishesInFlight = 1_000;
const maxBytesInFlight = 8 * 1024 * 1024;

/**
 * The bus on Redis publish/subscribe (sharded on a Redis Cluster).
 *
 * A node sends itself a ping every second over the whole way. One not seen for 3 s means that this
 * node is cut off, whatever the connections say: it is unhealthy then, and takes a new connection
 * every 3 s until a ping arrives.
 */
export class RedisNodeBus extends NodeBus {
  override readonly isShared = true;
  /** Messages no node of this version has made. */
  malformedCount = 0;
  /** Why the bus does not work, in words for an operator; null while it does. */
  fault: string | null = 'not connected yet';
  private readonly logger = new Logger(RedisNodeBus.name);
  private readonly handlers = new Map<string, BusHandler>();
  private readonly listeners: ((awayMs: number) => void)[] = [];
  private readonly publishCommand: 'publish' | 'spublish';
  private readonly channel = busChannel();
  private readonly subscription: BusSubscription;
  private lastSeenAt = performance.now();
  private nextTickAt = 0;
  private publishesInFlight = 0;
  private bytesInFlight = 0;
  private timer: NodeJS.Timeout | undefined;
  private isClosed = false;

  constructor(
    clients: RedisClients,
    private readonly commands: RedisCommands,
    override readonly nodeId: string,
  ) {
    super();
    this.publishCommand = clients.isCluster ? 'spublish' : 'publish';
    this.subscription = new BusSubscription(clients, this.channel, {
      onMessage: (text) => this.receive(text),
      onSubscribed: () => this.ping(),
      onLost: (reason) => this.lose(reason),
    });
    commands.onBack(() => this.ping());
  }

  override get isHealthy(): boolean {
    return this.fault === null;
  }

  /**
   * Subscribes, and waits until a ping has come through, or `limitMs`: a start is not stopped by an
   * outage.
   */
  async start(limitMs: number): Promise<void> {
    this.subscription.reopen();
    this.schedule(awayPingIntervalMs);
    const deadline = performance.now() + limitMs;
    while (!this.isHealthy && performance.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 10));
    if (!this.isHealthy) this.logger.warn(`No message crosses the bus at start: ${this.fault}`);
  }

  close(): void {
    this.isClosed = true;
    this.fault = 'closed';
    clearTimeout(this.timer);
    this.subscription.close();
  }

  override subscribe(topic: string, handler: BusHandler): void {
    if (topic === '' || topic.includes('\n')) throw new Error('a topic is not empty and has no line feed');
    if (this.handlers.has(topic)) throw new Error(`the topic ${topic} has a handler already`);
    this.handlers.set(topic, handler);
  }

  override onReconnected(listener: (awayMs: number) => void): void {
    this.listeners.push(listener);
  }

  override async publish(topic: string, payload: unknown): Promise<void> {
    if (!this.isHealthy) throw redisUnavailable();
    const frame = encodeFrame({ from: this.nodeId, topic, json: JSON.stringify(payload) });
    const bytes = Buffer.byteLength(frame);
    const isFull = this.publishesInFlight >= maxPublishesInFlight || this.bytesInFlight + bytes > maxBytesInFlight;
    if (isFull) throw redisUnavailable();
    this.publishesInFlight++;
    this.bytesInFlight += bytes;
    try {
      await this.commands.call(this.publishCommand, this.channel, frame);
    } finally {
      this.publishesInFlight--;
      this.bytesInFlight -= bytes;
    }
  }

  /**
   * Redis answers a publisher in the same turn in which it writes to subscribers, and before that.
   * So the answer to the first ping says that everything was taken, the answer to the second that
   * it was written.
   */
  override async flush(): Promise<void> {
    if (!this.isHealthy) throw redisUnavailable();
    await this.publishPing();
    await this.publishPing();
  }

  private ping(): void {
    // A failed ping needs no handling: its absence is what the tick looks at.
    this.publishPing().catch(() => undefined);
  }

  private publishPing(): Promise<unknown> {
    return this.commands.call(
      this.publishCommand,
      this.channel,
      encodeFrame({ from: this.nodeId, topic: '', json: '' }),
    );
  }

  private schedule(delayMs: number): void {
    this.nextTickAt = performance.now() + delayMs;
    this.timer = setTimeout(() => this.tick(), delayMs);
  }

  private tick(): void {
    // A process that was itself held up has the pings still unread; it judges at the next tick.
    const wasHeldUp = performance.now() - this.nextTickAt > pingIntervalMs;
    if (!wasHeldUp) this.judge();
    this.ping();
    this.schedule(this.isHealthy ? pingIntervalMs : awayPingIntervalMs);
  }

  private judge(): void {
    if (performance.now() - this.lastSeenAt <= silenceLimitMs) return;
    this.lose(`no ping has come back for ${silenceLimitMs} ms`);
    if (this.subscription.ageMs > silenceLimitMs) this.subscription.reopen();
  }

  private lose(reason: string): void {
    if (this.isClosed) return;
    if (this.isHealthy) {
      this.logger.warn(`Cut off from the other nodes: ${reason}`);
      clearTimeout(this.timer);
      this.schedule(awayPingIntervalMs);
    }
    this.fault = reason;
  }

  private receive(text: string): void {
    const frame = decodeFrame(text);
    if (frame === null) this.malformedCount++;
    else if (frame.from !== this.nodeId) this.dispatch(frame);
    else if (frame.topic === '') this.sawPing();
  }

  private sawPing(): void {
    const awayMs = performance.now() - this.lastSeenAt;
    const wasAway = !this.isHealthy;
    this.lastSeenAt = performance.now();
    this.fault = null;
    if (!wasAway) return;
    this.logger.log(`Connected to the other nodes after ${Math.round(awayMs)} ms`);
    for (const listener of this.listeners) this.safely(() => listener(awayMs));
  }

  private dispatch({ topic, json }: BusFrame): void {
    const handler = this.handlers.get(topic);
    if (!handler) return;
    let payload: unknown;
    try {
      payload = JSON.parse(json);
    } catch {
      this.malformedCount++;
      return;
    }
    this.safely(() => handler(payload), topic);
  }

  private safely(work: () => void, topic = 'reconnected'): void {
    try {
      work();
    } catch (error) {
      this.logger.error(`A handler of the bus failed (${topic})`, error);
    }
  }
}
