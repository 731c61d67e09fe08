import { Injectable, Logger, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { invalid } from '../common/index.js';
import type { Position } from '../database/index.js';
import { NodeBus } from '../redis/index.js';
import { isUserId, type Principal } from './principal.js';
import { RevocationRepository, type Revocation, type RevocationCursor } from './revocation.repository.js';

/**
 * Hears that all tokens of a user issued up to `beforeMs` (unix ms) stopped working. Must not
 * throw.
 */
export type RevocationListener = (userId: string, beforeMs: number) => void;

const topic = 'token-revoked';
const pollIntervalMs = 1_000;
const fromTheStart: RevocationCursor = { xid: 0, userId: '' };

/**
 * Which tokens have been taken back, known to every node in memory.
 *
 * Postgres is the truth, read whole before this node serves anyone. After that news comes by the
 * node bus at once, and from Postgres every second, so that it arrives within 2 s while Redis is
 * away or has been emptied. While Postgres is away this node goes on with what it knows. Marks only
 * rise. Costs one map entry per user ever revoked.
 *
 * @see ADR-0006 for reading by transaction id
 */
@Injectable()
export class Revocations implements OnModuleInit, OnApplicationShutdown {
  private readonly logger = new Logger('Revocations');
  private readonly marks = new Map<string, number>();
  private readonly listeners: RevocationListener[] = [];
  private position: Position | null = null;
  private reading: Promise<void> | null = null;
  private timer: NodeJS.Timeout | null = null;
  private isBehind = false;

  constructor(
    private readonly repository: RevocationRepository,
    private readonly bus: NodeBus,
  ) {}

  /** @throws ChatError UNAVAILABLE: a node that does not know what is revoked must not start */
  async onModuleInit(): Promise<void> {
    this.bus.subscribe(topic, (payload) => this.hear(payload));
    this.bus.onReconnected(() => void this.poll());
    await this.refresh();
    this.timer = setInterval(() => void this.poll(), pollIntervalMs);
    this.timer.unref();
  }

  /** After the drain: what is revoked meanwhile holds for the sockets that are still open. */
  async onApplicationShutdown(): Promise<void> {
    if (this.timer) clearInterval(this.timer);
    await this.reading?.catch(() => undefined);
  }

  /**
   * Whether a principal's token has been taken back: issued not after its user's mark, or without a
   * word on when.
   *
   * `iat` counts whole seconds, so a token issued later in the very second of the mark is covered
   * too.
   */
  isRevoked(principal: Principal): boolean {
    const mark = this.marks.get(principal.userId);
    return mark !== undefined && !((principal.issuedAtMs ?? -Infinity) > mark);
  }

  /**
   * For realtime, which closes the sockets. Called once per raised mark, on every node; registered
   * before listening.
   */
  onRevoked(listener: RevocationListener): void {
    this.listeners.push(listener);
  }

  /**
   * Takes back all tokens of a user issued up to a time. Never undone: a later call with an earlier
   * time changes nothing.
   *
   * Resolves when it is committed, holds on this node and has been told to the others; those the
   * bus does not reach read it within 1 s.
   *
   * @param beforeMs unix ms; null: now, by the database's clock. At most an hour ahead of it:
   *   enough for an identity provider whose clock is ahead, or that takes a while to stop, and not
   *   enough to lock a user out of the tokens of next year by a slip of the pen
   * @throws ChatError VALIDATION_FAILED | UNAVAILABLE (Postgres is away: outcome unknown, repeat
   *   it)
   */
  async revoke(userId: string, beforeMs: number | null = null): Promise<void> {
    const isTime = beforeMs === null || !Number.isNaN(new Date(beforeMs).getTime());
    const mark = isTime ? await this.repository.raise(userId, beforeMs) : null;
    if (mark === null) throw invalid('before', 'at most an hour ahead');
    const revocation = { userId, beforeMs: mark };
    this.apply(revocation);
    await this.tellOthers(revocation).catch(() => this.logger.warn('The bus is away; the others will poll'));
  }

  /**
   * Reads from Postgres what is new since the last time; everything, the first time and after a
   * restore of the database. Calls at the same time share one reading.
   */
  refresh(): Promise<void> {
    this.reading ??= this.read().finally(() => (this.reading = null));
    return this.reading;
  }

  private async tellOthers(revocation: Revocation): Promise<void> {
    await this.bus.publish(topic, revocation);
    await this.bus.flush();
  }

  private async poll(): Promise<void> {
    try {
      await this.refresh();
      this.isBehind = false;
    } catch (error) {
      if (!this.isBehind) this.logger.warn(`Revocations cannot be read; going on with those known: ${String(error)}`);
      this.isBehind = true;
    }
  }

  private async read(): Promise<void> {
    const start = this.position ? { xid: this.position.xmin, userId: '' } : fromTheStart;
    const first = await this.repository.page(start);
    if (this.position && isEarlier(first.position, this.position)) {
      this.position = null;
      return this.read();
    }
    for (let page = first; ; page = await this.repository.page(page.next)) {
      page.revocations.forEach((revocation) => this.apply(revocation));
      if (page.next === null) break;
    }
    this.position = first.position;
  }

  private hear(payload: unknown): void {
    const { userId, beforeMs } = (payload ?? {}) as Partial<Revocation>;
    if (isUserId(userId) && Number.isFinite(beforeMs)) this.apply({ userId, beforeMs: beforeMs! });
  }

  private apply({ userId, beforeMs }: Revocation): void {
    if ((this.marks.get(userId) ?? -Infinity) >= beforeMs) return;
    this.marks.set(userId, beforeMs);
    for (const listener of this.listeners) this.tell(listener, userId, beforeMs);
  }

  private tell(listener: RevocationListener, userId: string, beforeMs: number): void {
    try {
      listener(userId, beforeMs);
    } catch (error) {
      this.logger.error('A listener failed', error instanceof Error ? error.stack : undefined);
    }
  }
}

/** Whether the database has gone back: restored from a backup, or another one. */
function isEarlier(now: Position, then: Position): boolean {
  return now.epoch !== then.epoch || now.xmin < then.xmin;
}
