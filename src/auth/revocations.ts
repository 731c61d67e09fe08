import { Injectable, Logger, type OnModuleInit } from '@nestjs/common';
import { ChatError, invalid } from '../common/index.js';
import { Sql, type Position, type SqlRunner } from '../database/index.js';
import { NodeBus } from '../redis/index.js';
import { AccessWatch } from './access-watch.js';
import { isUserId, type Principal } from './principal.js';
import { RevocationRepository, type Revocation, type RevocationCursor } from './revocation.repository.js';
import { UserMarks } from './user-marks.js';

/**
 * Is called when tokens of a user, issued up to `beforeMs` (unix ms), stop working. Must not throw.
 */
export type RevocationListener = (userId: string, beforeMs: number) => void;

const topic = 'revoked';
const fromTheStart: RevocationCursor = { xid: 0, userId: '', deviceId: '' };

/**
 * Which tokens have been taken back, known to every node in memory: all tokens of a user by an
 * admin, all sessions but one by the user, those of a removed device.
 *
 * Postgres is the truth, read whole before this node serves anyone. After that news comes by the
 * node bus at once, and from Postgres whenever {@link AccessWatch} reads, so that it counts within
 * `REVOCATION_BOUND_MS` while Redis is away or has been emptied. Marks only rise. Costs one map
 * entry per user of whom anything was ever taken back, and 100 removed devices of each at most.
 *
 * @see ADR-0006 for reading by transaction id, ADR-0028 for the bound
 */
@Injectable()
export class Revocations implements OnModuleInit {
  private readonly logger = new Logger('Revocations');
  private readonly marks = new Map<string, UserMarks>();
  private readonly listeners: RevocationListener[] = [];
  private position: Position | null = null;
  private reading: Promise<void> | null = null;

  constructor(
    private readonly repository: RevocationRepository,
    private readonly sql: Sql,
    private readonly bus: NodeBus,
    private readonly watch: AccessWatch,
  ) {}

  /** @throws ChatError UNAVAILABLE: a node that does not know what is revoked must not start */
  async onModuleInit(): Promise<void> {
    this.bus.subscribe(topic, (payload) => this.hear(payload));
    this.watch.add(() => this.refresh());
    await this.refresh();
  }

  /**
   * Whether a principal's token has been taken back: issued not after a mark of its user, or
   * without a word on when.
   *
   * `iat` counts whole seconds, so a token issued later in the very second of a mark is covered
   * too.
   *
   * @param deviceId the device that speaks; null over REST, where removals of devices do not count
   */
  isRevoked(principal: Principal, deviceId: string | null = null): boolean {
    return this.marks.get(principal.userId)?.cover(principal, deviceId) ?? false;
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
   * bus does not reach read it within the bound.
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
    await this.tell({ kind: 'tokens', userId, beforeMs: mark });
  }

  /**
   * Takes back all tokens of a user issued until now, but the one in use. Resolves as {@link
   * revoke} does.
   *
   * @throws ChatError TOKEN_REVOKED (a call with another token was quicker) | UNAVAILABLE
   */
  async endOtherSessions(principal: Principal): Promise<void> {
    const { userId, tokenHash } = principal;
    const beforeMs = await this.repository.endSessions(principal);
    if (beforeMs === null) throw new ChatError('TOKEN_REVOKED');
    await this.tell({ kind: 'sessions', userId, beforeMs, keptToken: tokenHash ?? null });
  }

  /**
   * Takes back the tokens of a removed device issued until now, for that device only. Resolves as
   * {@link revoke} does.
   *
   * @param removal commits together with it; answers whether there was such a device. If not,
   *   nothing is taken back
   * @returns what `removal` answered
   */
  async removeDevice(userId: string, deviceId: string, removal: (tx: SqlRunner) => Promise<boolean>): Promise<boolean> {
    const beforeMs = await this.sql.transaction(async (tx) =>
      (await removal(tx)) ? this.repository.removeDevice(tx, userId, deviceId) : null,
    );
    if (beforeMs === null) return false;
    await this.tell({ kind: 'device', userId, deviceId, beforeMs });
    return true;
  }

  /**
   * Reads from Postgres what is new since the last time; everything, the first time and after a
   * restore of the database. Calls at the same time share one reading.
   */
  refresh(): Promise<void> {
    this.reading ??= this.read().finally(() => (this.reading = null));
    return this.reading;
  }

  private async tell(revocation: Revocation): Promise<void> {
    this.apply(revocation);
    await this.tellOthers(revocation).catch(() =>
      this.logger.warn('The bus is away; the others read it from Postgres'),
    );
  }

  private async tellOthers(revocation: Revocation): Promise<void> {
    await this.bus.publish(topic, revocation);
    await this.bus.flush();
  }

  private async read(): Promise<void> {
    const start = this.position ? { xid: this.position.xmin, userId: '', deviceId: '' } : fromTheStart;
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
    if (isRevocation(payload)) this.apply(payload);
  }

  private apply(revocation: Revocation): void {
    const { userId, beforeMs } = revocation;
    const marks = this.marks.get(userId) ?? new UserMarks();
    this.marks.set(userId, marks);
    if (!marks.raise(revocation)) return;
    for (const listener of this.listeners) this.notify(listener, userId, beforeMs);
  }

  private notify(listener: RevocationListener, userId: string, beforeMs: number): void {
    try {
      listener(userId, beforeMs);
    } catch (error) {
      this.logger.error('A listener failed', error instanceof Error ? error.stack : undefined);
    }
  }
}

function isRevocation(payload: unknown): payload is Revocation {
  const { kind, userId, beforeMs, keptToken, deviceId } = (payload ?? {}) as Record<string, unknown>;
  if (!isUserId(userId) || !Number.isFinite(beforeMs)) return false;
  if (kind === 'sessions') return keptToken === null || typeof keptToken === 'string';
  return kind === 'tokens' || (kind === 'device' && typeof deviceId === 'string');
}

/** Whether the database has gone back: restored from a backup, or another one. */
function isEarlier(now: Position, then: Position): boolean {
  return now.epoch !== then.epoch || now.xmin < then.xmin;
}
