import { Injectable } from '@nestjs/common';
import { Settings } from '../config/index.js';
import { loadLua, RedisCommands, shardOf, typingDueKey, typingKey, type RedisKey } from '../redis/index.js';
import { TypingStore, type TypingEnd, type TypingStart, type Typist } from './typing.store.js';

const startTyping = loadLua(import.meta.url, './start-typing.lua');
const stopTyping = loadLua(import.meta.url, './stop-typing.lua');
const expireTyping = loadLua(import.meta.url, './expire-typing.lua');
const dueTyping = loadLua(import.meta.url, './due-typing.lua');
const readTyping = loadLua(import.meta.url, './read-typing.lua');

/** Bounds the commands of a sweep; on a Cluster, the nodes that share the work. */
const shardCount = 8;
const sweepLimit = 100;

const shards = Array.from({ length: shardCount }, (_, shard) => shard);

/**
 * A sorted set per conversation, and per shard of conversations an index of the earliest ends. The
 * clock is Redis'.
 */
@Injectable()
export class RedisTypingStore extends TypingStore {
  constructor(
    private readonly redis: RedisCommands,
    private readonly settings: Settings,
  ) {
    super();
  }

  override async start({ conversationId, userId, connectionId }: Typist): Promise<TypingStart> {
    const args = [conversationId, userId, connectionId, this.settings.typingTtlMs];
    const reply = await this.redis.run(startTyping, keysOf(conversationId), args);
    const [began, endsAtMs, atUs, ...userIds] = reply as [number, number, number, ...string[]];
    return { began: began === 1, endsAtMs, atUs, userIds: distinct(userIds) };
  }

  override async stop(conversationId: string, userId: string, connectionId: string | null): Promise<TypingEnd | null> {
    const args = [conversationId, userId, connectionId ?? ''];
    const reply = await this.redis.run(stopTyping, keysOf(conversationId), args);
    const [ended, atUs, ...userIds] = reply as [number, number, ...string[]];
    return ended === 1 ? { conversationId, userId, atUs, userIds: distinct(userIds) } : null;
  }

  override async sweep(): Promise<TypingEnd[]> {
    const found = await this.redis.runMany(
      shards.map((shard) => ({ script: dueTyping, keys: [typingDueKey(shard)], args: [sweepLimit] })),
    );
    const due = (found as string[][]).flat();
    const replies = await this.redis.runMany(
      due.map((conversationId) => ({ script: expireTyping, keys: keysOf(conversationId), args: [conversationId] })),
    );
    return due.flatMap((conversationId, i) => endsOf(conversationId, replies[i] as [number, number, ...string[]]));
  }

  override async typingIn(conversationId: string): Promise<string[]> {
    return distinct((await this.redis.run(readTyping, keysOf(conversationId).slice(0, 1))) as string[]);
  }
}

function keysOf(conversationId: string): [typing: RedisKey, due: RedisKey] {
  const shard = shardOf(conversationId, shardCount);
  return [typingKey(shard, conversationId), typingDueKey(shard)];
}

function endsOf(conversationId: string, [count, atUs, ...ids]: [number, number, ...string[]]): TypingEnd[] {
  const userIds = distinct(ids.slice(count));
  return ids.slice(0, count).map((userId) => ({ conversationId, userId, atUs, userIds }));
}

/** In an order that does not depend on who asks. */
function distinct(userIds: string[]): string[] {
  return [...new Set(userIds)].sort();
}
