import { Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { Clock } from '../common/index.js';
import { Settings } from '../config/index.js';
import { OfflineQueueStore, type Absence, type QueueEntry, type QueuePointer } from './offline-queue.store.js';

interface Queue {
  token: string;
  isWhole: boolean;
  endsAtMs: number;
  /** Conversation id -> rev. */
  pointers: Map<string, number>;
}

// Beyond this the users longest untouched are forgotten; Postgres serves their devices.
const maxUsers = 100_000;

/** Queues of the one process. */
@Injectable()
export class MemoryOfflineQueueStore extends OfflineQueueStore {
  private readonly users = new LRUCache<string, Map<string, Queue>>({ max: maxUsers });

  constructor(
    private readonly clock: Clock,
    private readonly settings: Settings,
  ) {
    super();
  }

  override async begin(userId: string, deviceId: string, token: string): Promise<void> {
    const queues = this.users.get(userId) ?? new Map<string, Queue>();
    const endsAtMs = this.clock.now() + this.settings.offlineQueueTtlSeconds * 1_000;
    queues.set(deviceId, { token, isWhole: false, endsAtMs, pointers: new Map() });
    this.users.set(userId, queues);
  }

  override async finish(userId: string, deviceId: string, token: string, pointers: QueuePointer[]): Promise<boolean> {
    const queue = this.queuesOf(userId).get(deviceId);
    if (queue?.token !== token) return false;
    queue.isWhole = this.put(userId, deviceId, queue, pointers);
    return queue.isWhole;
  }

  override async add(entries: readonly QueueEntry[]): Promise<Absence[]> {
    return entries.map(({ userId, pointers }) => {
      const queues = this.queuesOf(userId);
      for (const [deviceId, queue] of queues) this.put(userId, deviceId, queue, pointers);
      return { absentDevices: queues.size, connections: 0 };
    });
  }

  override async take(userId: string, deviceId: string): Promise<QueuePointer[] | null> {
    const queue = this.queuesOf(userId).get(deviceId);
    this.drop(userId, deviceId);
    if (!queue?.isWhole) return null;
    return [...queue.pointers].map(([conversationId, rev]) => ({ conversationId, rev }));
  }

  /** @returns whether the queue is within its cap */
  private put(userId: string, deviceId: string, queue: Queue, pointers: QueuePointer[]): boolean {
    for (const { conversationId, rev } of pointers) {
      if (!queue.pointers.has(conversationId)) queue.pointers.set(conversationId, rev);
    }
    if (queue.pointers.size <= this.settings.offlineQueueMax) return true;
    this.drop(userId, deviceId);
    return false;
  }

  private drop(userId: string, deviceId: string): void {
    const queues = this.users.get(userId);
    if (queues?.delete(deviceId) && queues.size === 0) this.users.delete(userId);
  }

  /** Without those that have expired. */
  private queuesOf(userId: string): Map<string, Queue> {
    const queues = this.users.get(userId) ?? new Map<string, Queue>();
    for (const [deviceId, { endsAtMs }] of queues) if (endsAtMs <= this.clock.now()) this.drop(userId, deviceId);
    return queues;
  }
}
