import { Injectable, Logger, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { setTimeout as pause } from 'node:timers/promises';
import { ChatError } from '../common/index.js';
import { Settings } from '../config/index.js';
import { Metrics } from '../metrics/index.js';

/**
 * Reads from Postgres what was committed since its last call, and acts on it. Everything that was
 * committed before the call counts on this node when it resolves. Rejects when it cannot read.
 */
export type AccessReader = () => Promise<void>;

const maxIntervalMs = 500;
const retryMs = 50;
/** A reading whose connection was lost is tried again at once on a new one. */
const triesPerReading = 4;
/** A late event waits this long for a reading before it is refused. */
const patienceMs = 300;

/**
 * Keeps the one bound of the contract: what takes access away on any node counts on this node
 * within `REVOCATION_BOUND_MS`, whatever becomes of Redis.
 *
 * The bus carries changes to other nodes at once as a rule. Besides, each node reads the lists of
 * revocations and of changes from Postgres every 500 ms, or every quarter of the bound if that is
 * less. The owner of each list {@link add | adds} its reader. While the last complete reading is older
 * than the bound, {@link isKept} is false: durable events are refused, and the node is not ready.
 *
 * The time is the process' monotonic clock, so a clock that is set changes nothing.
 *
 * @see docs/protocol.md#consent-8, ADR-0028
 */
@Injectable()
export class AccessWatch implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly logger = new Logger('AccessWatch');
  /** Everything committed before this time in the reader's list counts here; monotonic clock. */
  private readonly knownUntilMs = new Map<AccessReader, number>();
  private readonly intervalMs: number;
  private reading: Promise<void> | null = null;
  private renewal: Promise<void> | null = null;
  private timer: NodeJS.Timeout | null = null;
  private isStopped = false;
  private isReported = false;

  constructor(
    private readonly settings: Settings,
    private readonly metrics: Metrics,
  ) {
    this.intervalMs = Math.min(maxIntervalMs, settings.revocationBoundMs / 4);
  }

  /** Adds a list; before the application listens. */
  add(reader: AccessReader): void {
    this.knownUntilMs.set(reader, -Infinity);
  }

  /** @throws ChatError UNAVAILABLE: a node that does not know what is revoked must not start */
  async onApplicationBootstrap(): Promise<void> {
    this.metrics.sample('parley_revocation_lag_seconds', () => [{ value: this.lagMs / 1_000 }]);
    await this.read();
    this.schedule(this.intervalMs);
  }

  /** After the drain: what is taken away meanwhile counts for the sockets that are still open. */
  async onApplicationShutdown(): Promise<void> {
    this.isStopped = true;
    if (this.timer) clearTimeout(this.timer);
    await this.reading?.catch(() => undefined);
  }

  /** Whether everything counts here that was committed longer ago than the bound. */
  get isKept(): boolean {
    return this.lagMs <= this.settings.revocationBoundMs;
  }

  /**
   * Makes sure that the bound is kept. Reads at once when it is not: a process that was held up
   * needs a moment only. Waits 300 ms at most.
   *
   * @throws ChatError UNAVAILABLE
   */
  async assertKept(): Promise<void> {
    if (this.isKept) return;
    await (this.renewal ??= this.renew().finally(() => (this.renewal = null)));
    if (!this.isKept) {
      throw new ChatError('UNAVAILABLE', { message: 'Revocations cannot be read now', retryAfterMs: 1_000 });
    }
  }

  /** Calls at the same time share one reading. @throws ChatError UNAVAILABLE */
  read(): Promise<void> {
    this.reading ??= this.readAll().finally(() => (this.reading = null));
    return this.reading;
  }

  private get lagMs(): number {
    return performance.now() - Math.min(...this.knownUntilMs.values());
  }

  private async renew(): Promise<void> {
    await Promise.race([this.read().catch(() => undefined), pause(patienceMs, undefined, { ref: false })]);
  }

  private async readAll(): Promise<void> {
    try {
      await Promise.all([...this.knownUntilMs.keys()].map((reader) => this.readWith(reader)));
    } catch (error) {
      this.noteFailure(error);
      throw error;
    }
    if (this.isReported) this.logger.log('Revocations are read again: durable events are served');
    this.isReported = false;
  }

  private async readWith(reader: AccessReader, triesLeft = triesPerReading - 1): Promise<void> {
    const startedMs = performance.now();
    try {
      await reader();
      this.knownUntilMs.set(reader, startedMs);
    } catch (error) {
      if (triesLeft === 0) throw error;
      await this.readWith(reader, triesLeft - 1);
    }
  }

  private noteFailure(error: unknown): void {
    if (this.isKept || this.isReported || this.isStopped) return;
    this.isReported = true;
    const reason = error instanceof ChatError && error.cause instanceof Error ? error.cause.message : String(error);
    this.logger.warn(
      `Revocations and changes of members cannot be read for longer than REVOCATION_BOUND_MS ` +
        `(${this.settings.revocationBoundMs}): ${reason}. Durable events are refused, and this node is not ready, until ` +
        `Postgres answers again.`,
    );
  }

  private schedule(delayMs: number): void {
    this.timer = setTimeout(() => void this.tick(), delayMs);
    this.timer.unref();
  }

  private async tick(): Promise<void> {
    const isRead = await this.read().then(
      () => true,
      () => false,
    );
    if (!this.isStopped) this.schedule(isRead ? this.intervalMs : retryMs);
  }
}
