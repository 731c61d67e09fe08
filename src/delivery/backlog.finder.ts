import { Injectable } from '@nestjs/common';
import { Metrics } from '../metrics/index.js';
import { DeviceRepository, type DeviceKey } from './device.repository.js';
import { GroupedCalls } from './grouped-calls.js';
import { OfflineQueueStore, type QueuePointer } from './offline-queue.store.js';
import { PendingRepository, type CandidateQuestion, type PendingConversation } from './pending.repository.js';

const maxDevicesPerQuery = 100;
const maxQueries = 2;
// A device that connects has had its `session-ready` by then, and hears live what is sent meanwhile
// as soon as it is listed.
const paceMs = 10;

/**
 * Finds what a connecting device lacks: by its offline queue where that is whole, else among what
 * has changed since it was looked at last. Either way Postgres says what the device has; the queue
 * only says where to look.
 */
@Injectable()
export class BacklogFinder {
  private readonly touches: GroupedCalls<DeviceKey, undefined>;
  private readonly scans: GroupedCalls<DeviceKey, PendingConversation[]>;
  private readonly looks: GroupedCalls<CandidateQuestion, PendingConversation[]>;
  private readonly outboxChecks: GroupedCalls<null, boolean>;

  constructor(
    devices: DeviceRepository,
    private readonly pending: PendingRepository,
    private readonly queue: OfflineQueueStore,
    private readonly metrics: Metrics,
  ) {
    this.touches = new GroupedCalls(
      async (keys) => {
        await devices.touch(keys);
        return keys.map(() => undefined);
      },
      maxDevicesPerQuery,
      1,
      paceMs,
    );
    this.scans = new GroupedCalls((keys) => pending.all(keys), maxDevicesPerQuery, maxQueries);
    this.looks = new GroupedCalls((questions) => pending.among(questions), maxDevicesPerQuery, maxQueries, paceMs);
    this.outboxChecks = new GroupedCalls(
      async (asked) => {
        const isLong = await pending.isOutboxLong();
        return asked.map(() => isLong);
      },
      maxDevicesPerQuery,
      1,
      paceMs,
    );
  }

  /**
   * Notes that the device is here and ends its absence.
   *
   * @returns newest activity first. What commits after the call may be missing: it comes live
   * @throws ChatError UNAVAILABLE
   */
  async find({ userId, deviceId }: DeviceKey): Promise<PendingConversation[]> {
    const device = { userId, deviceId };
    const [pointers] = await Promise.all([this.takeQueue(device), this.touches.ask(device)]);
    if (!pointers || (await this.outboxChecks.ask(null))) return this.scan(device);
    this.metrics.count('parley_offline_queue_reads_total', { source: 'queue' });
    return this.looks.ask({ ...device, conversationIds: pointers.map(({ conversationId }) => conversationId) });
  }

  /** As {@link find}, for a device that is away: nothing is noted. */
  scan(device: DeviceKey): Promise<PendingConversation[]> {
    return this.scans.ask(device);
  }

  /** Where a device stands in one conversation; null: its user does not take part. */
  position({ userId, deviceId }: DeviceKey, conversationId: string): Promise<PendingConversation | null> {
    return this.pending.cursor({ userId, deviceId }, conversationId);
  }

  private async takeQueue({ userId, deviceId }: DeviceKey): Promise<QueuePointer[] | null> {
    try {
      const pointers = await this.queue.take(userId, deviceId);
      if (!pointers) this.metrics.count('parley_offline_queue_reads_total', { source: 'not-whole' });
      return pointers;
    } catch {
      this.metrics.count('parley_offline_queue_reads_total', { source: 'away' });
      return null;
    }
  }
}
