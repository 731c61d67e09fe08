import { Injectable } from '@nestjs/common';
import { setTimeout as pause } from 'node:timers/promises';
import { Revocations, type Actor } from '../auth/index.js';
import { ChatError, Clock, decodeCursor, encodeCursor, invalid, pageLimit, type Page } from '../common/index.js';
import { Settings } from '../config/index.js';
import { isoTime } from '../conversations/index.js';
import type { DevicePageDto } from './device.dto.js';
import { DeviceRepository, type DeviceKey } from './device.repository.js';
import { DeviceSightings } from './device.sightings.js';
import { OfflineQueueStore } from './offline-queue.store.js';

const defaultLimit = 50;
// A device is noted a few milliseconds after its `session-ready`; far longer only where Postgres is
// held up.
const noteMs = 50;
const maxNoteTries = 10;

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
    private readonly revocations: Revocations,
    private readonly clock: Clock,
    private readonly settings: Settings,
  ) {}

  /** @throws ChatError VALIDATION_FAILED (a foreign cursor, a limit above `MAX_PAGE_SIZE`) */
  async list({ userId }: Actor, { cursor, limit: asked }: DevicePageDto): Promise<Page<Device>> {
    const limit = pageLimit(asked, defaultLimit, this.settings.maxPageSize);
    const after = cursor === undefined ? '' : placeOf(cursor);
    const [rows, connected] = await Promise.all([
      this.devices.page(userId, after, limit + 1),
      this.sightings.connectedDevices(userId),
    ]);
    const lastSeen = new Map(rows.map(({ deviceId, lastSeenAt }) => [deviceId, lastSeenAt]));
    // One that has just connected is not noted yet.
    for (const deviceId of connected) {
      if (deviceId > after && !lastSeen.has(deviceId)) lastSeen.set(deviceId, new Date(this.clock.now()));
    }
    const found = [...lastSeen].sort(([a], [b]) => (a < b ? -1 : 1));
    const items = found.slice(0, limit).map(([deviceId, lastSeenAt]) => ({
      deviceId,
      lastSeenAt: isoTime(lastSeenAt),
      connected: connected.has(deviceId),
    }));
    return { items, nextCursor: found.length > limit ? encodeCursor([items.at(-1)!.deviceId]) : null };
  }

  /**
   * Forgets a device: its tokens are taken back for it, its sockets are closed on all nodes, its
   * progress and queue are gone. Should it connect again with a newer token, it is a new device.
   *
   * @throws ChatError NOT_FOUND
   */
  async forget({ userId }: Actor, deviceId: string): Promise<void> {
    const device = { userId, deviceId };
    if (!(await this.remove(device))) throw new ChatError('NOT_FOUND');
    // What is left in a queue expires; Postgres knows the device no more, so nobody believes it.
    await this.queue.take(userId, deviceId).catch(() => undefined);
  }

  /**
   * One that has just connected is noted first: else it would be there again. @returns whether
   * there was such a device
   */
  private async remove(device: DeviceKey): Promise<boolean> {
    const { userId, deviceId } = device;
    for (let tries = 0; tries < maxNoteTries; tries++) {
      if (await this.revocations.removeDevice(userId, deviceId, (tx) => this.devices.forget(tx, device))) return true;
      if (!(await this.sightings.connectedDevices(userId)).has(deviceId)) return false;
      await pause(noteMs);
    }
    return this.revocations.removeDevice(userId, deviceId, async () => true);
  }
}

function placeOf(cursor: string): string {
  const [deviceId] = decodeCursor(cursor, 1);
  if (typeof deviceId !== 'string') throw invalid('cursor', 'not a cursor of this list');
  return deviceId;
}
