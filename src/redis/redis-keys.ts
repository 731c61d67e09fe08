/**
 * The name of a key or channel within one deployment. {@link RedisCommands} puts the deployment's
 * namespace in front of it, wherever it stands among the arguments of a command: no call can reach
 * the keys of another deployment.
 */
export class RedisKey {
  /** @param name begins with the hash tag: what stands in front of it has no braces */
  constructor(readonly name: string) {}

  /** The key as Redis knows it. */
  within(namespace: string): string {
    return `${namespace}:${this.name}`;
  }
}

/** One kind of key or channel, as `docs/redis-keys.md` shows it, without the namespace. */
export interface RedisKeyEntry {
  name: string;
  /**
   * `<...>` stands for a value; `{...}` is the Redis Cluster hash tag: keys with the same one lie
   * on the same node.
   */
  pattern: string;
  type: 'string' | 'hash' | 'set' | 'zset' | 'list' | 'stream' | 'channel';
  ttl: string;
  /** The folder that writes it. */
  owner: string;
  meaning: string;
}

const entries: RedisKeyEntry[] = [];

/**
 * Every key and channel this system uses, in the order of the documentation. None is the only copy
 * of what must survive.
 */
export const redisKeys: readonly RedisKeyEntry[] = entries;

type KeyBuilder = (...values: (string | number)[]) => RedisKey;

/**
 * Registers a kind of key; the builder fills the pattern's places in order, so code and
 * documentation cannot differ.
 */
function keyOf(entry: RedisKeyEntry): KeyBuilder {
  entries.push(entry);
  const [first = '', ...rest] = entry.pattern.split(/<[^>]*>/);
  return (...values) => new RedisKey(rest.reduce((key, text, index) => `${key}${values[index]}${text}`, first));
}

export const busChannel: () => RedisKey = keyOf({
  name: 'busChannel',
  pattern: '{bus}',
  type: 'channel',
  ttl: 'none: a channel',
  owner: 'redis',
  meaning: 'Notices between nodes: node id, topic and JSON, separated by line feeds. An empty topic is a self-ping.',
});

export const probeKey = keyOf({
  name: 'probeKey',
  pattern: '{probe:<nodeId>}',
  type: 'string',
  ttl: '1 h',
  owner: 'redis',
  meaning: 'Written every second by its node: shows that Redis takes writes, and, once gone, that it was emptied.',
}) as (nodeId: string) => RedisKey;

/** One tag for both: one script takes both on a Redis Cluster. */
export const trialKey = keyOf({
  name: 'trialKey',
  pattern: '{probe:<nodeId>}:trial-<type>',
  type: 'hash',
  ttl: 'none: the script that makes it takes it away',
  owner: 'redis',
  meaning: 'A hash and a zset on which a node tries, every second, the commands that its scripts use.',
}) as (nodeId: string, type: 'hash' | 'zset') => RedisKey;

export const socketAdapterChannel: () => RedisKey = keyOf({
  name: 'socketAdapterChannel',
  pattern: 'socket.io',
  type: 'channel',
  ttl: 'none: channels',
  owner: 'redis',
  meaning:
    "First part of the channels of Socket.IO's Redis adapter, which carry what an embedding application sends with " +
    '`server.to(room).emit()` and the like.',
});

export const connectionLeasesKey = keyOf({
  name: 'connectionLeasesKey',
  pattern: '{user:<userId>}:connections',
  type: 'zset',
  ttl: 'that of its longest lease',
  owner: 'redis',
  meaning: 'Connection id -> end of its lease, Unix ms of the Redis clock: the sockets of a user over all nodes.',
}) as (userId: string) => RedisKey;

export const presenceEpochKey = keyOf({
  name: 'presenceEpochKey',
  pattern: '{presence:<shard>}:epoch',
  type: 'string',
  ttl: 'none',
  owner: 'presence',
  meaning: 'A random value, written when it is missing: another one than before shows that the shard was emptied.',
}) as (shard: number) => RedisKey;

export const presenceDueKey = keyOf({
  name: 'presenceDueKey',
  pattern: '{presence:<shard>}:due',
  type: 'zset',
  ttl: 'none: a user is taken out when he is offline',
  owner: 'presence',
  meaning:
    'User id -> when his presence is to be looked at, Unix ms of the Redis clock. A shard is a hash of the user id.',
}) as (shard: number) => RedisKey;

export const presenceUserKey = keyOf({
  name: 'presenceUserKey',
  pattern: '{presence:<shard>}:user:<userId>',
  type: 'hash',
  ttl: 'an hour after its longest lease',
  owner: 'presence',
  meaning:
    'Connection id -> end of its lease, status, device; and `@told` (status told last), `@until` (end of the grace ' +
    'period), `@seen` (last sign of life). Times are Unix ms of the Redis clock.',
}) as (shard: number, userId: string) => RedisKey;

export const typingDueKey = keyOf({
  name: 'typingDueKey',
  pattern: '{typing:<shard>}:due',
  type: 'zset',
  ttl: 'none: a conversation is taken out when nobody types there',
  owner: 'typing',
  meaning: 'Conversation id -> when typing there is to be looked at, Unix ms of the Redis clock.',
}) as (shard: number) => RedisKey;

export const typingKey = keyOf({
  name: 'typingKey',
  pattern: '{typing:<shard>}:conversation:<conversationId>',
  type: 'zset',
  ttl: 'an hour after its last end',
  owner: 'typing',
  meaning: 'Connection id, blank, user id -> when typing ends, Unix ms of the Redis clock.',
}) as (shard: number, conversationId: string) => RedisKey;

export const messageBudgetKey = keyOf({
  name: 'messageBudgetKey',
  pattern: '{user:<userId>}:message-budget',
  type: 'hash',
  ttl: 'until the budget is whole again',
  owner: 'messaging',
  meaning: '`tokens`: messages the user may send now; `at`: when that was so, Unix ms of the Redis clock.',
}) as (userId: string) => RedisKey;

export const absentDevicesKey = keyOf({
  name: 'absentDevicesKey',
  pattern: '{user:<userId>}:absent',
  type: 'hash',
  ttl: 'OFFLINE_QUEUE_TTL_SECONDS',
  owner: 'delivery',
  meaning: 'Device id -> token of its absence: the devices of a user for which the offline queue is kept.',
}) as (userId: string) => RedisKey;

export const offlineQueueKey = keyOf({
  name: 'offlineQueueKey',
  pattern: '{user:<userId>}:queue:<deviceId>',
  type: 'hash',
  ttl: 'OFFLINE_QUEUE_TTL_SECONDS',
  owner: 'delivery',
  meaning:
    'What an absent device misses: conversation id -> rev of the first change; `token` names the absence, `whole` the Redis process that has seen all of it.',
}) as (userId: string, deviceId: string) => RedisKey;
