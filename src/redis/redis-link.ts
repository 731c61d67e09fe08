import type { Cluster, Redis } from 'ioredis';
import { loadLua } from './lua-script.js';
import type { RedisClient, RedisClients } from './redis-client.js';
import type { RedisReturn } from './redis-commands.js';
import { isRedisTimeout } from './redis-errors.js';
import { RedisFaultLog } from './redis-fault-log.js';
import { probeKey, trialKey } from './redis-keys.js';
import type { RedisReason } from './redis-reason.js';

const probeIntervalMs = 1_000;
const awayProbeIntervalMs = 250;
const probeTtlMs = 3_600_000;
const timeoutsToOpen = 2;
const denialMs = 5_000;
const tryCommands = loadLua(import.meta.url, './try-commands.lua');

/**
 * The command connection and its state: a circuit that a failure opens and a probe closes.
 *
 * A lost connection or a refusing reply opens it at once; a hung Redis opens it after two time-outs
 * in a row. The probe writes a key and runs every command of the scripts. So a Redis that is
 * read-only, full or denies a command counts as unavailable. On a Cluster the probe also asks every
 * master that has a slot.
 */
export class RedisLink {
  readonly client: RedisClient;
  isUp = false;
  private reason = 'not connected yet';
  /** A refusal that the probe does not find: of a key, or by one node of a Cluster. */
  private refusal = { words: '', untilMs: -Infinity };
  private readonly log = new RedisFaultLog(RedisLink.name);
  private readonly words: RedisReason;
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
    readonly namespace: string,
  ) {
    this.client = clients.connect('command');
    this.words = clients.reasonOf(this.client);
    this.client.on('error', (error: Error) => this.stillDown(error));
    this.client.on('ready', () => void this.probe());
    this.client.on('close', () => this.wentDown(new Error('Connection is closed.')));
    this.schedule(0);
  }

  /**
   * The reason why Redis cannot be used, or not fully, in words for an operator. Null while all is
   * well.
   */
  get fault(): string | null {
    if (!this.isUp) return this.reason;
    return performance.now() < this.refusal.untilMs ? this.refusal.words : null;
  }

  onBack(listener: (back: RedisReturn) => void): void {
    this.listeners.push(listener);
  }

  /**
   * Resolves when Redis works, and after `limitMs` in any case, so an outage does not stop a start.
   */
  async whenUp(limitMs: number): Promise<void> {
    const deadline = performance.now() + limitMs;
    while (!this.isUp && performance.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 10));
    if (!this.isUp) this.log.fault(this.reason);
  }

  succeeded(): void {
    this.timeouts = 0;
  }

  /** Notes a failure that says Redis is away. */
  failed(error: unknown): void {
    if (isRedisTimeout(error) && ++this.timeouts < timeoutsToOpen) return;
    this.wentDown(error);
  }

  /** Notes that Redis denies a command. Other commands go on: the probe says whether they can. */
  denied(error: unknown): void {
    const words = this.words.of(error);
    this.refusal = { words, untilMs: performance.now() + denialMs };
    this.log.fault(words);
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
    this.reason = this.words.of(error);
    if (this.isClosed) return;
    this.log.fault(this.reason);
    this.schedule(awayProbeIntervalMs);
  }

  /** The last words count: what begins as an outage may end as a wrong password. */
  private stillDown(error: unknown): void {
    if (this.isUp || this.isClosed) return;
    const hasBegun = this.reason !== 'not connected yet';
    this.reason = this.words.of(error);
    // The first words are told by who waits for the start.
    if (hasBegun) this.log.fault(this.reason);
  }

  private cameUp(wasEmptied: boolean): void {
    const awayMs = performance.now() - this.lastUpAt;
    const wasAway = !this.isUp;
    this.lastUpAt = performance.now();
    this.isUp = true;
    this.timeouts = 0;
    if (this.fault === null) this.log.works(`Redis works${wasEmptied ? ', but it was emptied' : ''}`);
    if (wasAway || wasEmptied) this.tell({ awayMs, wasEmptied });
  }

  private tell(back: RedisReturn): void {
    for (const listener of this.listeners) {
      try {
        listener(back);
      } catch (error) {
        this.log.listenerFailed(error);
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
      this.stillDown(error);
      // A connection that does not answer may be half open. TCP would retry it for a quarter of an
      // hour.
      if (isRedisTimeout(error) && !this.clients.isCluster) this.client.disconnect(true);
    } finally {
      this.isProbing = false;
      this.schedule(this.isUp ? probeIntervalMs : awayProbeIntervalMs * (1 + Math.random()));
    }
  }

  /** @returns whether the key of the probe before is gone */
  private async writeProbe(): Promise<boolean> {
    if (this.clients.isCluster) await pingMasters(this.client as Cluster, this.words);
    // ioredis goes on with number 0 when Redis refuses the number: another deployment's, perhaps.
    else if (this.clients.database !== 0) await this.client.select(this.clients.database);
    const key = probeKey(this.nodeId).within(this.namespace);
    const before = await this.client.set(key, '1', 'PX', probeTtlMs, 'GET');
    await this.tryCommands();
    const wasEmptied = this.isMarked && before === null;
    this.isMarked = true;
    return wasEmptied;
  }

  private async tryCommands(): Promise<void> {
    const keys = (['hash', 'zset'] as const).map((type) => trialKey(this.nodeId, type).within(this.namespace));
    const refusal = await this.runScript(keys);
    if (refusal !== '') throw new Error(String(refusal));
  }

  /** Both ways in which scripts are sent: one may be denied alone. */
  private async runScript(keys: string[]): Promise<unknown> {
    const [, viaSource] = await Promise.all([
      this.client.evalsha(tryCommands.sha, keys.length, ...keys).catch((error: unknown) => {
        if (!(error instanceof Error && error.message.startsWith('NOSCRIPT'))) throw error;
      }),
      this.client.eval(tryCommands.source, keys.length, ...keys),
    ]);
    return viaSource;
  }
}

async function pingMasters(cluster: Cluster, words: RedisReason): Promise<void> {
  const masters = new Map(
    cluster.nodes('master').map((node): [string, Redis] => [`${node.options.host}:${node.options.port}`, node]),
  );
  // An unreachable node is removed from `nodes`, and added again when the slots are read again.
  const owners = new Set<string | undefined>(cluster.slots.map((nodes) => nodes?.[0]));
  const missing = [...owners].find((address) => address !== undefined && !masters.has(address));
  if (missing) throw new Error(words.ofNode(missing, new Error('Connection is closed.')));
  const pings = [...masters].map(async ([address, node]) => {
    try {
      await node.ping();
    } catch (error) {
      if (isRedisTimeout(error)) node.disconnect();
      throw new Error(words.ofNode(address, error), { cause: error });
    }
  });
  await Promise.all(pings);
}
