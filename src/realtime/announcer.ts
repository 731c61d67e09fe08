import { Injectable, Logger, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { AccessWatch } from '../auth/index.js';
import { newRandomId } from '../common/index.js';
import type { SqlRunner } from '../database/index.js';
import { NodeBus } from '../redis/index.js';
import { OutboxLogReader } from './outbox-log.reader.js';
import { NoticeLogRepository } from './notice-log.repository.js';
import { OutboxRepository, type Notice } from './outbox.repository.js';

/** Acts on a notice, on each node. May be called twice for the same notice; failures are logged. */
export type NoticeHandler = (payload: never) => Promise<void> | void;

/**
 * Does what must have happened before a notice may be forgotten, once per announcement, on the node
 * that announces. A rejection keeps the notice in the outbox: it is announced again, so keepers,
 * too, may be called twice.
 */
export type NoticeKeeper = (payloads: never[]) => Promise<void> | void;

const topic = 'notices';
const sweepIntervalMs = 1_000;
// Old enough that the node that wrote the row would have announced it if it could; young enough for
// guarantee 4 (5 s).
const abandonedAfterMs = 2_000;
const sweepLimit = 200;
const forgetIntervalMs = 600_000;
// The log hands a notice over within the revocation bound; the sweep, as long as Redis is away.
const maxRemembered = 50_000;

/**
 * Tells every node of committed changes, even when the node that committed them died before it
 * could (guarantee 4).
 *
 * A change writes its notices into the outbox in its own transaction ({@link enlist}) and announces
 * them after commit ({@link announce}): here, and to other nodes over the bus. Announced rows are
 * deleted a little later, together. What is left, because the node died or the bus was away, any
 * node announces when it finds it, within about 3 s.
 *
 * Besides, each node reads the log of notices from Postgres all the time, so that a notice is
 * handled within `REVOCATION_BOUND_MS` also while the bus is away or lost it.
 *
 * At least once, so handlers drop what they have seen. @see ADR-0004, ADR-0028
 */
@Injectable()
export class Announcer implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly logger = new Logger(Announcer.name);
  private readonly handlers = new Map<string, NoticeHandler>();
  private readonly keepers = new Map<string, NoticeKeeper[]>();
  private readonly announced = new Set<number>();
  private timer: NodeJS.Timeout | null = null;
  private sweeping: Promise<void> | null = null;

  private readonly selfHealing = new Set<string>();
  /** Ids of logged notices that were handled here: they come by several ways. */
  private readonly handled = new LRUCache<string, true>({ max: maxRemembered });
  private forgetTimer: NodeJS.Timeout | null = null;
  /**
   * Before this, not all handlers and keepers are there: what was taken from the outbox would be
   * forgotten unkept.
   */
  private isStarted = false;

  constructor(
    private readonly outbox: OutboxRepository,
    private readonly log: NoticeLogRepository,
    private readonly logReader: OutboxLogReader,
    private readonly bus: NodeBus,
    private readonly watch: AccessWatch,
  ) {
    // Nobody is connected yet before that, and nothing is in memory that a notice could make old.
    this.bus.subscribe(topic, (notices) => this.isStarted && this.handleAll(notices as Notice[]));
    this.bus.onReconnected(() => {
      if (this.isStarted) void this.sweep();
    });
    // Without other nodes, nobody else announces anything.
    if (this.bus.isShared) this.watch.add(() => this.logReader.readNew((notices) => this.handleAll(notices)));
  }

  onApplicationBootstrap(): void {
    this.isStarted = true;
    this.timer = setInterval(() => void this.sweep(), sweepIntervalMs);
    this.forgetTimer = setInterval(() => void this.log.forgetOld().catch(() => undefined), forgetIntervalMs);
  }

  async onApplicationShutdown(): Promise<void> {
    if (this.timer) clearInterval(this.timer);
    if (this.forgetTimer) clearInterval(this.forgetTimer);
    await this.sweeping;
    await this.forgetAnnounced().catch(() => undefined);
  }

  /**
   * Registers the one handler of a kind of notice; before the application listens.
   *
   * @param options.catchesUp the kind's owner finds out by itself what this node missed while it
   *   was cut off from the others; by default the node reads it from the log
   */
  on(kind: string, handler: NoticeHandler, { catchesUp = false } = {}): void {
    this.handlers.set(kind, handler);
    if (catchesUp) this.selfHealing.add(kind);
  }

  /** Adds to what is done before a kind of notice is forgotten; before the application listens. */
  beforeForgetting(kind: string, keeper: NoticeKeeper): void {
    this.keepers.set(kind, [...(this.keepers.get(kind) ?? []), keeper]);
  }

  /** Puts notices into the caller's transaction. @returns the ticket for {@link announce} */
  async enlist(tx: SqlRunner, notices: Notice[]): Promise<number> {
    const logged = notices.filter(({ kind }) => !this.selfHealing.has(kind));
    if (this.bus.isShared && logged.length > 0) {
      for (const notice of logged) notice.id ??= newRandomId();
      await this.log.insert(tx, logged);
    }
    return this.outbox.insert(tx, this.bus.nodeId, notices);
  }

  /**
   * Tells this node and the others; call it after commit. Never throws, never waits.
   *
   * @param notices what to tell; may say more than the outbox row does (bodies, which the outbox
   *   never holds)
   */
  announce(ticket: number, notices: Notice[]): void {
    this.handleAll(notices);
    const published = this.bus.isShared ? this.bus.publish(topic, notices) : null;
    const kept = this.keep(notices);
    if (published === null && kept === null) return void this.announced.add(ticket);
    // A failure leaves the row in the outbox; the sweep announces it again when the bus is back.
    Promise.all([published, kept]).then(
      () => this.announced.add(ticket),
      () => undefined,
    );
  }

  /**
   * As {@link announce}, for a change whose answer is to hold on every node.
   *
   * @returns resolves when the notices lie before every node the bus reaches, or the bus is away.
   *   Never rejects
   */
  async announceEverywhere(ticket: number, notices: Notice[]): Promise<void> {
    this.announce(ticket, notices);
    await this.bus.flush().catch(() => undefined);
  }

  /**
   * Ids of rows announced since the last call, for a caller that deletes them along with a write of
   * its own.
   */
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
    if (notice.id !== undefined) {
      if (this.handled.has(notice.id)) return;
      this.handled.set(notice.id, true);
    }
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

  /** @returns null when there is nothing to wait for */
  private keep(notices: Notice[]): Promise<unknown> | null {
    const waits: Promise<void>[] = [];
    for (const [kind, keepers] of this.keepers) {
      const payloads = notices.filter((notice) => notice.kind === kind).map((notice) => notice.payload);
      if (payloads.length === 0) continue;
      for (const keeper of keepers) {
        const work = settle(() => keeper(payloads as never[]));
        if (work) waits.push(work);
      }
    }
    return waits.length === 0 ? null : Promise.all(waits);
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
        await this.keep(notices);
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

/** A keeper that throws is one that rejects. */
function settle(work: () => Promise<void> | void): Promise<void> | void {
  try {
    return work();
  } catch (error) {
    return Promise.reject(error instanceof Error ? error : new Error(String(error)));
  }
}
