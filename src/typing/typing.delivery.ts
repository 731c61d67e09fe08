import { Injectable, type OnModuleInit } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { Settings } from '../config/index.js';
import { Broadcaster } from '../realtime/index.js';
import { NodeBus } from '../redis/index.js';
import type { TypingEnd } from './typing.store.js';

/** Viewers who are told the same. */
export interface TypingViewers {
  viewerIds: string[];
  /** The users who type there now, as far as these viewers see. */
  userIds: string[];
}

/** A beginning or an end of typing, for all nodes. */
export interface TypingNotice {
  conversationId: string;
  userId: string;
  /** Unix milliseconds; null: an end. */
  endsAtMs: number | null;
  /** As in the store; null: an end for some viewers only, which is no end of the typing. */
  atUs: number | null;
  viewers: TypingViewers[];
}

/** The last event about a typist that this node sent. */
interface Told {
  conversationId: string;
  userId: string;
  atUs: number;
  isTyping: boolean;
  /** When to ask whether they still type, in milliseconds of this process. */
  checkAtMs: number;
}

const topic = 'typing';
const maxTold = 10_000;
const maxOverdue = 100;
/** How long an end waits for its beginning: longer than a notice takes from one node to another. */
const patienceMs = 150;
/** Longer than a sweep takes to find an end, and a node to tell it. */
const marginMs = 2_000;
/**
 * Clocks may be set back; what is older than this against what was told before is not late, but
 * new.
 */
const maxLateUs = 10_000_000;

/**
 * Tells this node's sockets who types, each beginning and each end once and in their order, though
 * they come from several nodes: one began it, another was told to stop it or found that its time
 * was over.
 *
 * Bounded: it knows the last 10,000 typists. For others it waits {@link patienceMs} before it sends
 * an end.
 */
@Injectable()
export class TypingDelivery implements OnModuleInit {
  private readonly told = new LRUCache<string, Told>({ max: maxTold });
  /** Ends whose beginnings have not come yet. */
  private readonly early = new Map<string, TypingNotice>();

  constructor(
    private readonly broadcaster: Broadcaster,
    private readonly bus: NodeBus,
    private readonly settings: Settings,
  ) {}

  onModuleInit(): void {
    this.bus.subscribe(topic, (notice) => this.deliver(notice as TypingNotice));
  }

  /** To the sockets of all nodes. */
  publish(notice: TypingNotice): void {
    this.deliver(notice);
    // Lost while Redis is away: what has no end then is found by `overdue`.
    if (this.bus.isShared) this.bus.publish(topic, notice).catch(() => undefined);
  }

  /** To the sockets of this node. */
  deliver(notice: TypingNotice): void {
    if (notice.atUs === null) this.emit(notice);
    else if (notice.endsAtMs === null) this.end(notice, notice.atUs);
    else this.begin(notice, notice.atUs);
  }

  /**
   * The users whose typing this node sent so long ago that they must have repeated it or stopped.
   * The end may have been lost, with the store or on the way. A user is not returned again for the
   * same time.
   */
  overdue(): Omit<TypingEnd, 'userIds'>[] {
    const now = performance.now();
    const found = [...this.told.values()].filter((told) => told.isTyping && told.checkAtMs <= now).slice(0, maxOverdue);
    for (const told of found) told.checkAtMs = this.nextCheckMs();
    return found;
  }

  private begin(notice: TypingNotice, atUs: number): void {
    const key = keyOf(notice);
    const before = this.told.peek(key);
    if (before && isLate(atUs, before)) return;
    // The end between the two was overtaken; it comes too late now.
    if (before?.isTyping) this.emit(endOf(notice));
    this.emit(notice);
    this.remember(notice, atUs, true);
    const end = this.early.get(key);
    if (end && end.atUs! >= atUs) this.finish(end);
  }

  private end(notice: TypingNotice, atUs: number): void {
    const key = keyOf(notice);
    const before = this.told.peek(key);
    if (before && isLate(atUs, before)) return;
    if (before?.isTyping) return this.finish(notice);
    this.early.set(key, notice);
    setTimeout(() => this.giveUpWaiting(notice), patienceMs).unref();
  }

  /**
   * If this node knows nothing of a typist, a viewer may have learned of them by joining. Otherwise
   * nothing has to end.
   */
  private giveUpWaiting(notice: TypingNotice): void {
    const key = keyOf(notice);
    if (this.early.get(key) !== notice) return;
    if (this.told.peek(key)) this.early.delete(key);
    else return this.finish(notice);
    this.remember(notice, notice.atUs!, false);
  }

  private finish(end: TypingNotice): void {
    this.early.delete(keyOf(end));
    this.emit(end);
    this.remember(end, end.atUs!, false);
  }

  private remember(notice: TypingNotice, atUs: number, isTyping: boolean): void {
    const { conversationId, userId } = notice;
    this.told.set(keyOf(notice), { conversationId, userId, atUs, isTyping, checkAtMs: this.nextCheckMs() });
  }

  private nextCheckMs(): number {
    return performance.now() + this.settings.typingTtlMs + marginMs;
  }

  private emit({ conversationId, userId, endsAtMs, viewers }: TypingNotice): void {
    for (const { viewerIds, userIds } of viewers) {
      this.broadcaster.emitLocally({ userIds: viewerIds, conversationId }, 'user-typing', {
        conversationId,
        userId,
        isTyping: endsAtMs !== null,
        expiresAt: endsAtMs === null ? null : new Date(endsAtMs).toISOString(),
        userIds,
      });
    }
  }
}

function isLate(atUs: number, told: Told): boolean {
  return atUs < told.atUs && told.atUs - atUs < maxLateUs;
}

function endOf(notice: TypingNotice): TypingNotice {
  const viewers = notice.viewers.map(({ viewerIds, userIds }) => ({
    viewerIds,
    userIds: userIds.filter((userId) => userId !== notice.userId),
  }));
  return { ...notice, endsAtMs: null, viewers };
}

function keyOf({ conversationId, userId }: TypingNotice): string {
  return `${conversationId} ${userId}`;
}
