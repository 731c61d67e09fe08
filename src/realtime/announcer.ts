import { Injectable, Logger, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import type { SqlRunner } from '../database/index.js';
import { NodeBus } from '../redis/index.js';
import { OutboxRepository, type Notice } from './outbox.repository.js';

/** Acts on a notice, on each node. May be called twice for the same notice; failures are logged. */
export type NoticeHandler = (payload: never) => Promise<void> | void;

const topic = 'notices';
const sweepIntervalMs = 1_000;
// Old enough that the node that wrote the row would have announced it if it could; young enough for guarantee 4 (5 s).
const abandonedAfterMs = 2_000;
const sweepLimit = 200;

/**
 * Tells every node of committed changes, even when the node that committed them died before it could (guarantee 4).
 *
 * A change writes its notices into the outbox in its own transaction ({@link enlist}) and announces them after commit
 * ({@link announce}): here, and to other nodes over the bus. Announced rows are deleted a little later, together. What
 * is left, because the node died or the bus was away, any node announces when it finds it, within about 3 s.
 *
 * At least once, so handlers drop what they have seen. @see ADR-0004
 */
@Injectable()
export class Announcer implements OnModuleInit, OnApplicationShutdown {
  private readonly logger = new Logger(Announcer.name);
  private readonly handlers = new Map<string, NoticeHandler>();
  private readonly announced = new Set<number>();
  private timer: NodeJS.Timeout | null = null;
  private sweeping: Promise<void> | null = null;

  constructor(
    private readonly outbox: OutboxRepository,
    private readonly bus: NodeBus,
  ) {
    this.bus.subscribe(topic, (notices) => this.handleAll(notices as Notice[]));
    this.bus.onReconnected(() => void this.sweep());
  }

  onModuleInit(): void {
    this.timer = setInterval(() => void this.sweep(), sweepIntervalMs);
  }

  async onApplicationShutdown(): Promise<void> {
    if (this.timer) clearInterval(this.timer);
    await this.sweeping;
    await this.forgetAnnounced().catch(() => undefined);
  }

  /** Registers the one handler of a kind of notice; before the application listens. */
  on(kind: string, handler: NoticeHandler): void {
    this.handlers.set(kind, handler);
  }

  /** Puts notices into the caller's transaction. @returns the ticket for {@link announce} */
  enlist(tx: SqlRunner, notices: Notice[]): Promise<number> {
    return this.outbox.insert(tx, this.bus.nodeId, notices);
  }

  /**
   * Tells this node and the others; call it after commit. Never throws, never waits.
   *
   * @param notices what to tell; may say more than the outbox row does (bodies, which the outbox never holds)
   */
  announce(ticket: number, notices: Notice[]): void {
    this.handleAll(notices);
    if (!this.bus.isShared) {
      this.announced.add(ticket);
      return;
    }
    // A failed publish leaves the row in the outbox; the sweep announces it when the bus is back.
    this.bus.publish(topic, notices).then(
      () => this.announced.add(ticket),
      () => undefined,
    );
  }

  /** Ids of rows announced since the last call, for a caller that deletes them along with a write of its own. */
  takeAnnounced(): number[] {
    const ids = [...this.announced];
    this.announced.clear();
    return ids;
  }

  /** Gives ids back that {@link takeAnnounced} handed out and that were not deleted after all. */
  giveBack(ids: number[]): void {
    for (const id of ids) this.announced.add(id);
  }

  private handleAll(notices: Notice[]): void {
    for (const notice of notices) this.handle(notice);
  }

  private handle(notice: Notice): void {
    const handler = this.handlers.get(notice.kind) as ((payload: unknown) => Promise<void> | void) | undefined;
    if (!handler) return this.logger.warn(`no handler for notices of kind ${notice.kind}`);
    try {
      handler(notice.payload)?.catch((error: unknown) => this.logFailure(notice.kind, error));
    } catch (error) {
      this.logFailure(notice.kind, error);
    }
  }

  private logFailure(kind: string, error: unknown): void {
    this.logger.error(`handling a notice of kind ${kind} failed`, error instanceof Error ? error.stack : undefined);
  }

  private sweep(): Promise<void> {
    this.sweeping ??= this.sweepOnce()
      .catch((error: unknown) => this.logger.debug(`outbox sweep put off: ${String(error)}`))
      .finally(() => (this.sweeping = null));
    return this.sweeping;
  }

  private async sweepOnce(): Promise<void> {
    await this.forgetAnnounced();
    if (!this.bus.isHealthy) return;
    let found: number;
    do {
      found = await this.outbox.claim(abandonedAfterMs, sweepLimit, async (rows) => {
        const notices = rows.flatMap((row) => row.notices);
        await this.bus.publish(topic, notices);
        this.handleAll(notices);
      });
      if (found > 0) this.logger.log(`announced ${found} batches that their node had left behind`);
    } while (found === sweepLimit);
  }

  private async forgetAnnounced(): Promise<void> {
    const ids = this.takeAnnounced();
    if (ids.length === 0) return;
    await this.outbox.delete(ids).catch((error: unknown) => {
      this.giveBack(ids);
      throw error;
    });
  }
}
