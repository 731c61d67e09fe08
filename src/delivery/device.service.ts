import { Injectable } from '@nestjs/common';
import type { Actor } from '../auth/index.js';
import { ChatError, decodeCursor, encodeCursor, pageLimit, type Page } from '../common/index.js';
import { Settings } from '../config/index.js';
import { isoTime } from '../conversations/index.js';
import { NodeBus } from '../redis/index.js';
import { SessionService } from '../realtime/index.js';
import type { DevicePageDto } from './device.dto.js';
import { DeviceRepository, type DeviceKey } from './device.repository.js';
import { DeviceSightings } from './device.sightings.js';
import { OfflineQueueStore } from './offline-queue.store.js';

const topic = 'forget-device';
const defaultLimit = 50;

/** One installation of the caller, as REST shows it. */
export interface Device {
  deviceId: string;
  /** ISO 8601, UTC: when it last connected or disconnected. */
  lastSeenAt: string;
  connected: boolean;
}

/** A user's own devices. */
@Injectable()
export class DeviceService {
  constructor(
    private readonly devices: DeviceRepository,
    private readonly sightings: DeviceSightings,
    private readonly queue: OfflineQueueStore,
    private readonly sessions: SessionService,
    private readonly bus: NodeBus,
    private readonly settings: Settings,
  ) {
    this.bus.subscribe(topic, (device) => this.disconnectHere(device as DeviceKey));
  }

  /** @throws ChatError VALIDATION_FAILED (a foreign cursor, a limit above `MAX_PAGE_SIZE`) */
  async list({ userId }: Actor, { cursor, limit: asked }: DevicePageDto): Promise<Page<Device>> {
    const limit = pageLimit(asked, defaultLimit, this.settings.maxPageSize);
    const after = cursor ? String(decodeCursor(cursor, 1)[0]) : '';
    const [rows, connected] = await Promise.all([
      this.devices.page(userId, after, limit + 1),
      this.sightings.connectedDevices(userId),
    ]);
    const items = rows.slice(0, limit).map(({ deviceId, lastSeenAt }) => ({
      deviceId,
      lastSeenAt: isoTime(lastSeenAt),
      connected: connected.has(deviceId),
    }));
    return { items, nextCursor: rows.length > limit ? encodeCursor([items.at(-1)!.deviceId]) : null };
  }

  /**
   * Forgets a device: its sockets are disconnected on all nodes, its progress and queue are gone. Should it connect
   * again, it is a new device.
   *
   * @throws ChatError NOT_FOUND
   */
  async forget({ userId }: Actor, deviceId: string): Promise<void> {
    const device = { userId, deviceId };
    if (!(await this.devices.forget(device))) throw new ChatError('NOT_FOUND');
    this.disconnectHere(device);
    if (this.bus.isShared) this.bus.publish(topic, device).catch(() => undefined);
    // What is left in a queue expires; Postgres knows the device no more, so nobody believes it.
    await this.queue.take(userId, deviceId).catch(() => undefined);
  }

  private disconnectHere({ userId, deviceId }: DeviceKey): void {
    const error = new ChatError('FORBIDDEN', { message: 'The device was removed' });
    this.sessions.closeConnections(userId, error, (connection) => connection.deviceId === deviceId);
  }
}
