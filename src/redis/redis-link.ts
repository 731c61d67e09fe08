import { Logger } from '@nestjs/common';
import type { Cluster } from 'ioredis';
import type { RedisClient, RedisClients } from './redis-client.js';
import type { RedisReturn } from './redis-commands.js';
import { isRedisTimeout } from './redis-errors.js';
import { probeKey } from './redis-keys.js';

const probeIntervalMs = 1_000;
const awayProbeIntervalMs = 250;
const probeTtlMs = 3_600_000;
const timeoutsToOpen = 2;

/**
 * The command connection and what is known of it: a circuit that a failure opens and a probe
 * closes.
 *
 * Opened by a lost connection or a refusing reply at once, by a hung Redis after two time-outs in a
 * row. The probe writes a key, so that a read-only or full Redis counts as away; on a Cluster it
 * also asks every master.
 */
export class RedisLink {
  readonly client: RedisClient;
  isUp = false;
  fault: string | null = 'not connected yet';
  private readonly logger = new Logger(RedisLink.name);
  private readonly listeners: ((back: RedisReturn) => void)[] = [];
  private lastUpAt = performance.now();
  private timeouts = 0;
  private isMarked = false;
  private isProbing = false;
  private isClosed = false;
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly clients: RedisClients,
    private readonly nodeId: string,
  ) {
    this.client = clients.connect('command', (error) => {
      if (!this.isUp) this.fault = error.message;
    });
    this.client.on('ready', () => void this.probe());
    this.client.on('close', () => this.wentDown(new Error('Connection is closed.')));
    this.schedule(0);
  }

  onBack(listener: (back: RedisReturn) => void): void {
    this.listeners.push(listener);
  }

  /**
   * Resolves when Redis works, or after `limitMs` all the same: a start is not stopped by an
   * outage.
   */
  async whenUp(limitMs: number): Promise<void> {
    const deadline = performance.now() + limitMs;
    while (!this.isUp && performance.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 10));
    if (!this.isUp) this.logger.warn(`Redis is away at start (${this.fault}); going on without it`);
  }

  succeeded(): void {
    this.timeouts = 0;
  }

  /** Notes a failure that says Redis is away. */
  failed(error: unknown): void {
    if (isRedisTimeout(error) && ++this.timeouts < timeoutsToOpen) return;
    this.wentDown(error);
  }

  close(): void {
    this.isClosed = true;
    clearTimeout(this.timer);
  }

  private schedule(delayMs: number): void {
    clearTimeout(this.timer);
    if (!this.isClosed) this.timer = setTimeout(() => void this.probe(), delayMs);
  }

  private wentDown(error: unknown): void {
    if (!this.isUp) return;
    this.isUp = false;
    this.fault = error instanceof Error ? error.message : String(error);
    if (this.isClosed) return;
    this.logger.warn(`Redis is away: ${this.fault}`);
    this.schedule(awayProbeIntervalMs);
  }

  private cameUp(wasEmptied: boolean): void {
    const awayMs = performance.now() - this.lastUpAt;
    const wasAway = !this.isUp;
    this.lastUpAt = performance.now();
    this.isUp = true;
    this.fault = null;
    this.timeouts = 0;
    if (wasAway) this.logger.log(`Redis works${wasEmptied ? ', but it was emptied' : ''}`);
    if (wasAway || wasEmptied) this.tell({ awayMs, wasEmptied });
  }

  private tell(back: RedisReturn): void {
    for (const listener of this.listeners) {
      try {
        listener(back);
      } catch (error) {
        this.logger.error('A listener to the return of Redis failed', error);
      }
    }
  }

  private async probe(): Promise<void> {
    if (this.isProbing || this.isClosed) return;
    this.isProbing = true;
    try {
      this.cameUp(await this.writeProbe());
    } catch (error) {
      this.wentDown(error);
      this.fault = error instanceof Error ? error.message : String(error);
      // A connection that does not answer may be half open: TCP would go on trying it for a quarter
      // of an hour.
      if (isRedisTimeout(error) && !this.clients.isCluster) this.client.disconnect(true);
    } finally {
      this.isProbing = false;
      this.schedule(this.isUp ? probeIntervalMs : awayProbeIntervalMs * (1 + Math.random()));
    }
  }

  /** @returns whether the key of the probe before is gone */
  private async writeProbe(): Promise<boolean> {
    if (this.clients.isCluster) await pingMasters(this.client as Cluster);
    const before = await this.client.set(probeKey(this.nodeId), '1', 'PX', probeTtlMs, 'GET');
    const wasEmptied = this.isMarked && before === null;
    this.isMarked = true;
    return wasEmptied;
  }
}

async function pingMasters(cluster: Cluster): Promise<void> {
  const pings = cluster.nodes('master').map(async (node) => {
    try {
      await node.ping();
    } catch (error) {
      if (isRedisTimeout(error)) node.disconnect();
      throw error;
    }
  });
  await Promise.all(pings);
}
