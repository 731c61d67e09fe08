import { Injectable } from '@nestjs/common';
import { Settings } from '../config/index.js';
import { hasIdShape } from '../conversations/index.js';
import {
  absentDevicesKey,
  connectionLeasesKey,
  loadLua,
  offlineQueueKey,
  RedisCommands,
  type RedisKey,
} from '../redis/index.js';
import { OfflineQueueStore, type Absence, type QueueEntry, type QueuePointer } from './offline-queue.store.js';

const beginAbsence = loadLua(import.meta.url, './begin-absence.lua');
const finishAbsence = loadLua(import.meta.url, './finish-absence.lua');
const addPointers = loadLua(import.meta.url, './add-pointers.lua');
const takeQueue = loadLua(import.meta.url, './take-queue.lua');

/** Users told in one round trip: keeps a large group below the time-out of a command. */
const usersPerCall = 500;

/** Queues in hashes, one per absent device; the clock and the process are those of Redis. */
@Injectable()
export class RedisOfflineQueueStore extends OfflineQueueStore {
  private readonly max: number;
  private readonly ttlSeconds: number;

  constructor(
    private readonly redis: RedisCommands,
    { offlineQueueMax, offlineQueueTtlSeconds }: Settings,
  ) {
    super();
    this.max = offlineQueueMax;
    this.ttlSeconds = offlineQueueTtlSeconds;
  }

  override async begin(userId: string, deviceId: string, token: string): Promise<void> {
    await this.redis.run(beginAbsence, keysOf(userId, deviceId), [deviceId, token, this.ttlSeconds]);
  }

  override async finish(userId: string, deviceId: string, token: string, pointers: QueuePointer[]): Promise<boolean> {
    if (pointers.length > this.max) return false;
    const args = [deviceId, token, this.max, ...flat(pointers)];
    return (await this.redis.run(finishAbsence, keysOf(userId, deviceId), args)) === 1;
  }

  override async add(entries: readonly QueueEntry[]): Promise<Absence[]> {
    const replies: unknown[] = [];
    for (let from = 0; from < entries.length; from += usersPerCall) {
      const calls = entries.slice(from, from + usersPerCall).map(({ userId, pointers }) => ({
        script: addPointers,
        keys: [absentDevicesKey(userId), connectionLeasesKey(userId), offlineQueueKey(userId, '')],
        args: [this.max, ...flat(pointers)],
      }));
      replies.push(...(await this.redis.runMany(calls)));
    }
    return (replies as [number, number][]).map(([absentDevices, connections]) => ({ absentDevices, connections }));
  }

  override async take(userId: string, deviceId: string): Promise<QueuePointer[] | null> {
    const reply = await this.redis.run(takeQueue, keysOf(userId, deviceId), [deviceId]);
    return Array.isArray(reply) ? pointersOf(reply) : null;
  }
}

function keysOf(userId: string, deviceId: string): RedisKey[] {
  return [absentDevicesKey(userId), offlineQueueKey(userId, deviceId)];
}

function flat(pointers: QueuePointer[]): (string | number)[] {
  return pointers.flatMap(({ conversationId, rev }) => [conversationId, rev]);
}

/** @returns null when something is there that no version of this system has written */
function pointersOf(reply: unknown[]): QueuePointer[] | null {
  const pointers: QueuePointer[] = [];
  for (let i = 0; i < reply.length; i += 2) {
    const conversationId = reply[i];
    const rev = Number(reply[i + 1]);
    if (!hasIdShape(conversationId) || !Number.isSafeInteger(rev)) return null;
    pointers.push({ conversationId, rev });
  }
  return pointers;
}
