import { Injectable, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { NodeBus } from '../redis/index.js';

/** What this node knows of one user without asking the store. */
export interface KnownAbsence {
  /** Null: being asked for. */
  state: { hasAbsentDevices: boolean; isVisible: boolean } | null;
  /** Conversations whose pointers his absent devices have already. */
  queued: Set<string>;
}

const topic = 'absence';
const maxUsers = 100_000;
// A node that died took its sockets along without a word; their leases end after a minute.
const maxAgeMs = 30_000;
const tickMs = 500;
const maxHeldUpMs = 2_000;

/**
 * Remembers which users need no look at the store after a commit, which is what keeps the queue off
 * the hot path.
 *
 * A user is forgotten on every node when one of his devices leaves, or none of them is visible any
 * longer. Nothing is remembered while this node is cut off from the bus, nor across a time in which
 * the process was held up: news may have passed it by.
 */
@Injectable()
export class UserAbsences implements OnModuleInit, OnApplicationShutdown {
  private readonly known = new LRUCache<string, KnownAbsence>({ max: maxUsers, ttl: maxAgeMs, ttlResolution: 100 });
  private timer: NodeJS.Timeout | null = null;
  private lastTickMs = performance.now();

  constructor(private readonly bus: NodeBus) {
    this.bus.subscribe(topic, (userId) => void this.known.delete(userId as string));
    this.bus.onReconnected(() => this.known.clear());
  }

  onModuleInit(): void {
    this.timer = setInterval(() => (this.lastTickMs = performance.now()), tickMs);
  }

  onApplicationShutdown(): void {
    if (this.timer) clearInterval(this.timer);
  }

  /** A device of the user left: every node forgets what it knew. */
  announce(userId: string): void {
    this.known.delete(userId);
    if (this.bus.isShared) this.bus.publish(topic, userId).catch(() => undefined);
  }

  /** This node forgets what it knew of a user. */
  forget(userId: string): void {
    this.known.delete(userId);
  }

  /**
   * What is known of a user; begins anew where nothing is. The caller fills it in, by {@link fill}.
   */
  of(userId: string): KnownAbsence {
    if (this.isDoubtful()) this.known.clear();
    const known = this.known.get(userId);
    if (known) return known;
    const unknown: KnownAbsence = { state: null, queued: new Set() };
    this.known.set(userId, unknown);
    return unknown;
  }

  /** Remembers an answer, unless news came while it was on its way. */
  fill(userId: string, asked: KnownAbsence, state: KnownAbsence['state'], conversationIds: string[]): void {
    if (this.known.peek(userId) !== asked) return;
    asked.state = state;
    for (const conversationId of conversationIds) asked.queued.add(conversationId);
  }

  private isDoubtful(): boolean {
    const wasHeldUp = performance.now() - this.lastTickMs > maxHeldUpMs;
    if (wasHeldUp) this.lastTickMs = performance.now();
    return wasHeldUp || !this.bus.isHealthy;
  }
}
