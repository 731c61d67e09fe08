import { Injectable, Logger, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { setTimeout as pause } from 'node:timers/promises';
import type { Presence } from '../common/index.js';
import { NodeBus } from '../redis/index.js';
import { LastSeenWriter } from './last-seen.writer.js';
import { PresenceDelivery, type PresenceNotice } from './presence.delivery.js';
import { PresencePolicy } from './presence.policy.js';
import type { PresenceTransition } from './presence.store.js';

const topic = 'presence';
const noticesPerBatch = 50;
const maxWaiting = 10_000;
const retryMs = 1_000;
/**
 * An answer may want to say when a user was last seen; but news does not wait for a slow Postgres.
 */
const writePatienceMs = 500;

/** A transition that is to be told. */
interface Waiting {
  transition: PresenceTransition;
  /** Whether the other nodes know it by themselves. */
  isHereOnly: boolean;
}

/**
 * Announces the transitions this node was handed: one message to the other nodes for all that came
 * together, not one per recipient.
 *
 * In order, at most once: a node that dies takes what it had not announced with it. While nobody
 * can say who may hear of it (Postgres is away), transitions wait, 10,000 at most.
 */
@Injectable()
export class PresenceAnnouncer implements OnModuleInit, OnApplicationShutdown {
  private readonly logger = new Logger(PresenceAnnouncer.name);
  private waiting: Waiting[] = [];
  private running: Promise<void> | null = null;
  private isStopped = false;
  private readonly listeners: ((presence: Presence) => void)[] = [];

  constructor(
    private readonly policy: PresencePolicy,
    private readonly delivery: PresenceDelivery,
    private readonly lastSeen: LastSeenWriter,
    private readonly bus: NodeBus,
  ) {}

  onModuleInit(): void {
    this.bus.subscribe(topic, (notices) => this.deliver(notices as PresenceNotice[]));
  }

  /** Hears every transition that is told, by whichever node. Must not wait. */
  onTold(listener: (presence: Presence) => void): void {
    this.listeners.push(listener);
  }

  async onApplicationShutdown(): Promise<void> {
    this.isStopped = true;
    await this.running;
  }

  /** Never throws, never waits. */
  announce(transitions: readonly PresenceTransition[]): void {
    this.enqueue(transitions, false);
  }

  /** To the sockets of this node: each node finds out by itself. Never throws, never waits. */
  announceHere(transitions: readonly PresenceTransition[]): void {
    this.enqueue(transitions, true);
  }

  private enqueue(transitions: readonly PresenceTransition[], isHereOnly: boolean): void {
    if (transitions.length === 0) return;
    const added = transitions.map((transition) => ({ transition, isHereOnly }));
    this.waiting = [...this.waiting, ...added].slice(-maxWaiting);
    this.running ??= this.run().finally(() => (this.running = null));
  }

  private async run(): Promise<void> {
    while (this.waiting.length > 0) {
      const batch = this.waiting.splice(0, noticesPerBatch);
      try {
        this.tell(batch, await this.noticesOf(batch.map(({ transition }) => transition)));
      } catch (error) {
        this.logger.debug(`presence not announced yet: ${String(error)}`);
        if (this.isStopped) return;
        this.waiting.unshift(...batch);
        await pause(retryMs, undefined, { ref: false });
      }
    }
  }

  private async noticesOf(transitions: readonly PresenceTransition[]): Promise<PresenceNotice[]> {
    const ends = transitions.filter(({ status }) => status === 'offline');
    const sightings = ends.map(({ userId, seenAtMs }) => ({ userId, atMs: seenAtMs }));
    const written = Promise.race([this.lastSeen.write(sightings), pause(writePatienceMs, undefined, { ref: false })]);
    const audiences = await Promise.all(transitions.map(({ userId }) => this.policy.audienceOf(userId)));
    await written;
    return transitions.map((transition, i) => ({
      presence: presenceOf(transition),
      audience: [...audiences[i]!],
      atUs: transition.atUs,
    }));
  }

  private tell(batch: readonly Waiting[], notices: PresenceNotice[]): void {
    this.deliver(notices);
    const shared = notices.filter((_notice, i) => !batch[i]!.isHereOnly);
    if (this.bus.isShared && shared.length > 0) this.bus.publish(topic, shared).catch(() => undefined);
  }

  private deliver(notices: PresenceNotice[]): void {
    for (const { presence } of notices) for (const listener of this.listeners) listener(presence);
    this.delivery.deliver(notices);
  }
}

function presenceOf({ userId, status, seenAtMs }: PresenceTransition): Presence {
  return { userId, status, lastSeenAt: new Date(seenAtMs).toISOString() };
}
