import { Injectable } from '@nestjs/common';
import { newRandomId } from '../common/index.js';
import { Settings } from '../config/index.js';
import {
  loadLua,
  presenceDueKey,
  presenceEpochKey,
  presenceUserKey,
  RedisCommands,
  shardOf,
  type ScriptCall,
} from '../redis/index.js';
import {
  PresenceStore,
  type DeviceStatus,
  type PresenceChange,
  type PresenceLease,
  type PresenceReading,
  type PresenceTransition,
} from './presence.store.js';

const changePresence = loadLua(import.meta.url, './change-presence.lua');
const duePresence = loadLua(import.meta.url, './due-presence.lua');
const readPresence = loadLua(import.meta.url, './read-presence.lua');

/**
 * Bounds the commands of a sweep or a question, however many users; on a Cluster, the nodes that
 * share the work.
 */
const shardCount = 16;
/** Changes of one script call: about a millisecond of Redis. */
const changesPerCall = 100;
/** Script calls of one round trip: keeps a node with many users below the time-out of a command. */
const callsPerTrip = 20;
const sweepLimit = 200;
/** Longer than any node takes to notice that the store was emptied, and to renew. */
const refillMs = 3_000;

const shards = Array.from({ length: shardCount }, (_, shard) => shard);
const shardOfUser = (userId: string): number => shardOf(userId, shardCount);

interface StoreChange extends Omit<PresenceChange, 'verb'> {
  verb: PresenceChange['verb'] | 'sweep';
}

interface ShardCall {
  shard: number;
  call: ScriptCall;
}

/**
 * Leases in a hash per user, and per shard of users an index of who is to be looked at when. The
 * clock is that of Redis.
 *
 * A shard has an epoch, a random value that is gone when the shard was emptied. Nodes say which one
 * they know: so a lease that ran out is told from one that was lost.
 */
@Injectable()
export class RedisPresenceStore extends PresenceStore {
  /** Shard -> epoch under which this node's leases were last registered there. */
  private epochs = new Map<number, string>();
  private isEmptied = false;
  private refilledAt = 0;

  constructor(
    private readonly redis: RedisCommands,
    private readonly settings: Settings,
  ) {
    super();
  }

  override get isIncomplete(): boolean {
    return this.isEmptied;
  }

  override async apply(changes: readonly PresenceChange[]): Promise<PresenceTransition[]> {
    const { transitions } = await this.change(changes);
    return transitions;
  }

  override async renewAll(
    leases: readonly PresenceLease[],
    gone: readonly PresenceLease[],
  ): Promise<PresenceTransition[]> {
    const wasEmptied = this.isEmptied;
    const renewals = leases.map((lease) => ({ verb: 'renew' as const, lease }));
    const ends = wasEmptied ? gone.map((lease) => ({ verb: 'disconnect' as const, lease })) : [];
    const { transitions, epochs } = await this.change([...renewals, ...ends]);
    // Found out only now, when it was not said who is gone: it is said next time, with the epochs
    // known before.
    if (this.isEmptied && !wasEmptied) return transitions;
    // Where nothing was registered, the next reply says which epoch it is.
    this.epochs = wasEmptied ? epochs : new Map([...this.epochs, ...epochs]);
    this.isEmptied = false;
    return transitions;
  }

  override async sweep(): Promise<PresenceTransition[]> {
    const calls = shards.map((shard) => ({
      shard,
      call: { script: duePresence, keys: [presenceEpochKey(shard), presenceDueKey(shard)], args: [sweepLimit] },
    }));
    const due: string[] = [];
    for (const { shard, reply } of await this.trip(calls)) {
      const [epoch, ...userIds] = reply as string[];
      this.note(shard, epoch!);
      due.push(...userIds);
    }
    const { transitions } = await this.change(due.map(sweepOf));
    return transitions;
  }

  override async read(userIds: readonly string[]): Promise<Map<string, PresenceReading>> {
    const byShard = [...groupBy(userIds, shardOfUser)];
    const replies = await this.trip(
      byShard.map(([shard, ids]) => ({
        shard,
        call: { script: readPresence, keys: [presenceEpochKey(shard), ...ids.map((id) => presenceUserKey(shard, id))] },
      })),
    );
    const readings = new Map<string, PresenceReading>();
    replies.forEach(({ shard, reply }, i) => {
      const [epoch, atMs, ...told] = reply as [string, number, ...(DeviceStatus | '')[]];
      this.note(shard, epoch);
      const fallback = this.isRefilling ? 'unknown' : 'offline';
      byShard[i]![1].forEach((userId, k) => readings.set(userId, { status: told[k] || fallback, atMs }));
    });
    return readings;
  }

  private get isRefilling(): boolean {
    return this.isEmptied || performance.now() < this.refilledAt;
  }

  /** Compares a shard's epoch with the one known. */
  private note(shard: number, epoch: string): void {
    const known = this.epochs.get(shard);
    if (known === undefined) {
      if (epoch !== '') this.epochs.set(shard, epoch);
    } else if (known !== epoch && !this.isEmptied) {
      this.isEmptied = true;
      this.refilledAt = performance.now() + refillMs;
    }
  }

  private async change(
    changes: readonly StoreChange[],
  ): Promise<{ transitions: PresenceTransition[]; epochs: Map<number, string> }> {
    const calls = [...groupBy(changes, ({ lease }) => shardOfUser(lease.userId))].flatMap(([shard, group]) =>
      inChunks(group, changesPerCall).map((chunk) => ({ shard, call: this.callOf(shard, chunk) })),
    );
    const transitions: PresenceTransition[] = [];
    const epochs = new Map<number, string>();
    for (const trip of inChunks(calls, callsPerTrip)) {
      for (const { shard, reply } of await this.trip(trip)) {
        const [epoch, ...rest] = reply as [string, ...(string | number)[]];
        this.note(shard, epoch);
        epochs.set(shard, epoch);
        transitions.push(...transitionsOf(rest));
      }
    }
    return { transitions, epochs };
  }

  private callOf(shard: number, changes: readonly StoreChange[]): ScriptCall {
    const { presenceTtlMs, presenceGraceMs } = this.settings;
    const userKeys = changes.map(({ lease }) => presenceUserKey(shard, lease.userId));
    return {
      script: changePresence,
      keys: [presenceEpochKey(shard), presenceDueKey(shard), ...userKeys],
      args: [
        presenceTtlMs,
        presenceGraceMs,
        this.epochs.get(shard) ?? '',
        newRandomId(),
        ...changes.flatMap(wordsOfChange),
      ],
    };
  }

  private async trip(calls: readonly ShardCall[]): Promise<{ shard: number; reply: unknown }[]> {
    const replies = await this.redis.runMany(calls.map(({ call }) => call));
    return calls.map(({ shard }, i) => ({ shard, reply: replies[i] }));
  }
}

function sweepOf(userId: string): StoreChange {
  return { verb: 'sweep', lease: { userId, connectionId: '', deviceId: '', status: 'offline' } };
}

function wordsOfChange({ verb, lease, before }: StoreChange): string[] {
  const { userId, connectionId, deviceId, status } = lease;
  const toldBefore = verb === 'renew' || verb === 'disconnect' ? status : (before ?? '');
  return [verb, userId, connectionId, deviceId, status, toldBefore];
}

function transitionsOf(words: (string | number)[]): PresenceTransition[] {
  return inChunks(words, 4).map(([userId, status, seenAtMs, atUs]) => ({
    userId: userId as string,
    status: status as DeviceStatus,
    seenAtMs: seenAtMs as number,
    atUs: atUs as number,
  }));
}

function inChunks<T>(items: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, i) => items.slice(i * size, (i + 1) * size));
}

function groupBy<T>(items: readonly T[], keyOf: (item: T) => number): Map<number, T[]> {
  const groups = new Map<number, T[]>();
  for (const item of items) {
    const group = groups.get(keyOf(item));
    if (group) group.push(item);
    else groups.set(keyOf(item), [item]);
  }
  return groups;
}
