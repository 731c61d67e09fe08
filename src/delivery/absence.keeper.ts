import { Injectable, Logger, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { newRandomId } from '../common/index.js';
import { NodeBus } from '../redis/index.js';
import { ConnectionHooks, ConnectionRegistry, TransportEcho, type Connection } from '../realtime/index.js';
import { BacklogFinder } from './backlog.finder.js';
import { DeviceRepository, type DepartedDevice, type DeviceKey } from './device.repository.js';
import { GroupedCalls } from './grouped-calls.js';
import { OfflineQueueStore } from './offline-queue.store.js';
import { UserAbsences } from './user-absences.js';

// Longer than a node can go on unaware of an absence: a bus that is cut off is noticed within 4 s,
// a process that was held up within 2 s (UserAbsences).
const seeThroughMs = 5_000;
const maxPerQuery = 500;
const paceMs = 20;

/**
 * Keeps an offline queue for each device that leaves.
 *
 * On leaving, pointers are collected from that moment on, by whichever node commits. Once every
 * node must have heard of it, Postgres is asked what the device lacks by then; with that the queue
 * is whole. A node that dies, drains or loses Redis in between leaves a queue that is not whole,
 * and the device is served from Postgres.
 */
@Injectable()
export class AbsenceKeeper implements OnModuleInit, OnApplicationShutdown {
  private readonly logger = new Logger(AbsenceKeeper.name);
  /** Of absences that are still to be seen through, by device. */
  private readonly timers = new Map<string, NodeJS.Timeout>();
  private readonly goodbyes: GroupedCalls<DepartedDevice, undefined>;
  private isStopping = false;

  constructor(
    private readonly hooks: ConnectionHooks,
    private readonly registry: ConnectionRegistry,
    private readonly queue: OfflineQueueStore,
    private readonly absences: UserAbsences,
    private readonly finder: BacklogFinder,
    private readonly bus: NodeBus,
    devices: DeviceRepository,
  ) {
    this.goodbyes = new GroupedCalls(
      async (keys) => {
        await devices.left(keys);
        return keys.map(() => undefined);
      },
      maxPerQuery,
      1,
      paceMs,
    );
  }

  onModuleInit(): void {
    this.hooks.register({ disconnected: (connection) => this.left(connection) });
  }

  onApplicationShutdown(): void {
    this.isStopping = true;
    for (const timer of this.timers.values()) clearTimeout(timer);
  }

  private left({ userId, deviceId, socket }: Connection): void {
    const device = { userId, deviceId };
    this.absences.announce(userId);
    this.goodbyes.ask({ ...device, provenAgeMs: TransportEcho.of(socket).provenAgeMs }).catch(() => undefined);
    if (!this.isHere(device)) void this.begin(device).catch((error: unknown) => this.putOff(error));
  }

  private async begin(device: DeviceKey): Promise<void> {
    const token = newRandomId();
    await this.queue.begin(device.userId, device.deviceId, token);
    // Only now do other nodes find the device absent; whoever asked before asks again.
    this.absences.announce(device.userId);
    if (this.isStopping || !this.bus.isHealthy) return;
    const key = `${device.userId} ${device.deviceId}`;
    // Who comes and goes again and again is looked at once: an earlier absence is over.
    clearTimeout(this.timers.get(key));
    const seeThrough = (): void => {
      this.timers.delete(key);
      void this.finish(device, token).catch((error: unknown) => this.putOff(error));
    };
    this.timers.set(key, setTimeout(seeThrough, seeThroughMs));
  }

  private async finish(device: DeviceKey, token: string): Promise<void> {
    if (this.isHere(device) || !this.bus.isHealthy) return;
    const pending = await this.finder.scan(device);
    const pointers = pending.map(({ conversationId, rev }) => ({ conversationId, rev: rev + 1 }));
    await this.queue.finish(device.userId, device.deviceId, token, pointers);
  }

  private isHere({ userId, deviceId }: DeviceKey): boolean {
    for (const connection of this.registry.ofUser(userId)) if (connection.deviceId === deviceId) return true;
    return false;
  }

  private putOff(error: unknown): void {
    this.logger.debug(`no offline queue for a device: ${String(error)}`);
  }
}
