import { Logger } from '@nestjs/common';
import { ChatError, isId } from '../common/index.js';
import { decodeFrame, encodeFrame, type BusFrame } from './bus-frame.js';
import { BusSubscription } from './bus-subscription.js';
import { NodeBus, type BusHandler } from './node-bus.js';
import type { RedisClients } from './redis-client.js';
import type { RedisCommands } from './redis-commands.js';
import { redisUnavailable } from './redis-errors.js';
import { RedisFaultLog } from './redis-fault-log.js';
import { busChannel } from './redis-keys.js';
import { wordsOf } from './redis-reason.js';

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
  override readonly nodeId: string;
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
  private readonly faults = new RedisFaultLog(RedisNodeBus.name);
  /** Why this node's last ping was not taken. */
  private pingFault: string | null = null;
  private readonly subscription: BusSubscription;
  private lastSeenAt = performance.now();
  private nextTickAt = 0;
  private publishesInFlight = 0;
  private bytesInFlight = 0;
  private timer: NodeJS.Timeout | undefined;
  private isStarted = false;
  private isClosed = false;

  constructor(
    clients: RedisClients,
    private readonly commands: RedisCommands,
    { nodeId, namespace }: { nodeId: string; namespace: string },
  ) {
    super();
    this.nodeId = nodeId;
    this.publishCommand = clients.isCluster ? 'spublish' : 'publish';
    this.subscription = new BusSubscription(clients, this.channel.within(namespace), {
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
    if (!this.isHealthy) this.told();
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
    // A failed ping needs no more handling: its absence is what the tick looks at.
    this.publishPing().then(
      () => (this.pingFault = null),
      (error: unknown) => (this.pingFault = wordsOfRefusal(error)),
    );
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
    const reason = this.subscription.fault ?? this.pingFault;
    this.lose(reason ?? `no ping has come back for ${silenceLimitMs} ms`);
    if (this.subscription.ageMs > silenceLimitMs) this.subscription.reopen();
  }

  private lose(reason: string): void {
    if (this.isClosed) return;
    const wasHealthy = this.isHealthy;
    this.fault = reason;
    if (wasHealthy) {
      clearTimeout(this.timer);
      this.schedule(awayPingIntervalMs);
    }
    if (wasHealthy || this.isStarted) this.told();
  }

  /** While no command works either, the link tells why. */
  private told(): void {
    this.isStarted = true;
    if (this.commands.isHealthy && this.fault !== null) this.faults.fault(`no message crosses the bus: ${this.fault}`);
  }

  private receive(text: string): void {
    const frame = decodeFrame(text);
    if (frame === null || !isId(frame.from)) this.malformedCount++;
    else if (frame.from !== this.nodeId) this.dispatch(frame);
    else if (frame.topic === '') this.sawPing();
  }

  private sawPing(): void {
    const awayMs = performance.now() - this.lastSeenAt;
    const wasAway = !this.isHealthy;
    this.lastSeenAt = performance.now();
    this.fault = null;
    this.faults.works('Messages cross the bus again');
    if (!wasAway) return;
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

  private safely(work: () => unknown, topic = 'reconnected'): void {
    const failed = (error: unknown) => this.logger.error(`A handler of the bus failed (${topic})`, error);
    try {
      // A payload of another shape may be refused later, in a handler that waits for something.
      const result = work();
      if (result instanceof Promise) result.catch(failed);
    } catch (error) {
      failed(error);
    }
  }
}

/** @returns null while Redis is known to be away: others say why */
function wordsOfRefusal(error: unknown): string | null {
  const cause: unknown = error instanceof ChatError ? error.cause : error;
  return cause instanceof Error ? wordsOf(cause) : null;
}
