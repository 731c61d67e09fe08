import { Injectable, Logger, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Actor } from '../auth/index.js';
import { Settings } from '../config/index.js';
import { ConnectionHooks, ConnectionRegistry, type Connection } from '../realtime/index.js';
import { NodeBus } from '../redis/index.js';
import { PresenceAnnouncer } from './presence.announcer.js';
import { PresenceStore, type DeviceStatus, type PresenceChange, type PresenceLease } from './presence.store.js';

const topic = 'presence-intent';
const changesPerBatch = 2_000;
const maxOwed = 10_000;
/** Longer than it takes to notice that the store was emptied, and to sweep and tell an end. */
const goneMarginMs = 5_000;

/** The status that a device shows, for other nodes that hold its sockets. */
interface Intent {
  userId: string;
  deviceId: string;
  status: DeviceStatus;
}

/**
 * This node's connections as leases in the store.
 *
 * Changes are written in order; those of one event loop turn are written together. If the store is
 * unavailable, the next renewal repeats the change, so nothing fails. Only a request that sets a
 * status waits for the store.
 */
@Injectable()
export class PresenceTracker implements OnModuleInit, OnApplicationShutdown {
  private readonly logger = new Logger(PresenceTracker.name);
  private readonly leases = new Map<string, PresenceLease>();
  /**
   * Leases that ended and whose end is not told yet, by user: a store that is emptied forgets that
   * it is to come.
   */
  private readonly gone = new Map<string, { leases: PresenceLease[]; atMs: number }>();
  /** Changes the store did not take, by what they are about. */
  private readonly owed = new Map<string, PresenceChange>();
  private queue: PresenceChange[] = [];
  private flushed: Promise<void> | null = null;
  /** One call at a time: a renewal must not overtake the disconnect that came after it. */
  private tail: Promise<void> = Promise.resolve();

  constructor(
    private readonly store: PresenceStore,
    private readonly announcer: PresenceAnnouncer,
    private readonly hooks: ConnectionHooks,
    private readonly registry: ConnectionRegistry,
    private readonly bus: NodeBus,
    private readonly settings: Settings,
  ) {}

  onModuleInit(): void {
    this.hooks.register({
      connected: (connection) => this.connect(connection),
      disconnected: (connection) => this.disconnect(connection),
    });
    this.bus.subscribe(topic, (intent) => void this.setDevice(intent as Intent));
    this.announcer.onTold(({ userId, status }) => {
      if (status === 'offline') this.gone.delete(userId);
    });
  }

  /** After the node's sockets were closed, before the connection to the store is. */
  async onApplicationShutdown(): Promise<void> {
    await this.flushed;
    await this.tail;
  }

  /** Ids of the users that this node makes visible. */
  visibleUserIds(): Set<string> {
    const visible = [...this.leases.values()].filter(({ status }) => status !== 'offline');
    return new Set(visible.map(({ userId }) => userId));
  }

  /** Whether this node makes a user visible. */
  isVisibleHere(userId: string): boolean {
    for (const { id } of this.registry.ofUser(userId)) {
      const lease = this.leases.get(id);
      if (lease && lease.status !== 'offline') return true;
    }
    return false;
  }

  /**
   * Sets what a device is to be seen as, all its sockets. Resolves when the store has taken it, or
   * is away.
   */
  async intend(actor: Actor, status: DeviceStatus): Promise<void> {
    const { userId, connectionId } = actor;
    const lease = connectionId === null ? undefined : this.leases.get(connectionId);
    if (!lease) return;
    const before = lease.status;
    const intent = { userId, deviceId: lease.deviceId, status };
    this.setDevice(intent);
    if (this.bus.isShared) this.bus.publish(topic, intent).catch(() => undefined);
    await this.submit({ verb: 'intend', lease: { ...lease }, before });
  }

  /**
   * Renews the leases of this node, and makes up for what the store missed. @throws ChatError
   * UNAVAILABLE
   */
  renew(): Promise<void> {
    return this.exclusively(async () => {
      const oldestMs = performance.now() - this.settings.presenceGraceMs - goneMarginMs;
      for (const [userId, { atMs }] of this.gone) if (atMs < oldestMs) this.gone.delete(userId);
      const gone = [...this.gone.values()].flatMap(({ leases }) => leases);
      this.announcer.announce(await this.store.renewAll([...this.leases.values()], gone));
      const owed = [...this.owed.values()];
      if (owed.length > 0) this.announcer.announce(await this.store.apply(owed));
      this.owed.clear();
    });
  }

  private connect({ id, userId, deviceId }: Connection): void {
    const lease: PresenceLease = { userId, connectionId: id, deviceId, status: 'online' };
    this.leases.set(id, lease);
    void this.submit({ verb: 'connect', lease: { ...lease } });
  }

  private disconnect({ id }: Connection): void {
    const lease = this.leases.get(id);
    if (!lease) return;
    this.leases.delete(id);
    const leases = this.gone.get(lease.userId)?.leases ?? [];
    this.gone.set(lease.userId, { leases: [...leases, lease], atMs: performance.now() });
    void this.submit({ verb: 'disconnect', lease });
  }

  private setDevice({ userId, deviceId, status }: Intent): void {
    for (const connection of this.registry.ofUser(userId)) {
      const lease = this.leases.get(connection.id);
      if (lease?.deviceId === deviceId) lease.status = status;
    }
  }

  private submit(change: PresenceChange): Promise<void> {
    this.queue.push(change);
    this.flushed ??= nextTurn().then(() => this.exclusively(() => this.flush()));
    return this.flushed;
  }

  private async flush(): Promise<void> {
    this.flushed = null;
    const changes = this.queue;
    this.queue = [];
    for (let i = 0; i < changes.length; i += changesPerBatch) await this.write(changes.slice(i, i + changesPerBatch));
  }

  private async write(changes: PresenceChange[]): Promise<void> {
    try {
      this.announcer.announce(await this.store.apply(changes));
    } catch (error) {
      this.logger.debug(`presence put off: ${String(error)}`);
      for (const change of changes) this.owe(change);
    }
  }

  /** A connection is made up for by its renewal, anything else only by being said again. */
  private owe(change: PresenceChange): void {
    if (change.verb === 'connect' || this.owed.size >= maxOwed) return;
    const { userId, deviceId, connectionId } = change.lease;
    this.owed.set(change.verb === 'intend' ? `${userId}\n${deviceId}` : connectionId, change);
  }

  private exclusively(task: () => Promise<void>): Promise<void> {
    const result = this.tail.then(task);
    this.tail = result.catch(() => undefined);
    return result;
  }
}
