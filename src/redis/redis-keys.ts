/** One kind of key or channel, as `docs/redis-keys.md` shows it. */
export interface RedisKeyEntry {
  name: string;
  /** `<...>` stands for a value; `{...}` is the Redis Cluster hash tag: keys with the same one lie on the same node. */
  pattern: string;
  type: 'string' | 'hash' | 'set' | 'zset' | 'list' | 'stream' | 'channel';
  ttl: string;
  /** The folder that writes it. */
  owner: string;
  meaning: string;
}

const entries: RedisKeyEntry[] = [];

/**
 * Every key and channel this system uses, in the order of the documentation. None is the only copy of what must survive.
 */
export const redisKeys: readonly RedisKeyEntry[] = entries;

type KeyBuilder = (...values: (string | number)[]) => string;

/** Registers a kind of key; the builder fills the pattern's places in order, so code and documentation cannot differ. */
function keyOf(entry: RedisKeyEntry): KeyBuilder {
  entries.push(entry);
  const [first = '', ...rest] = entry.pattern.split(/<[^>]*>/);
  return (...values) => rest.reduce((key, text, index) => `${key}${values[index]}${text}`, first);
}

export const busChannel: () => string = keyOf({
  name: 'busChannel',
  pattern: 'parley:{bus}',
  type: 'channel',
  ttl: 'none: a channel',
  owner: 'redis',
  meaning: 'Notices between nodes: node id, topic and JSON, separated by line feeds. An empty topic is a self-ping.',
});

export const probeKey = keyOf({
  name: 'probeKey',
  pattern: 'parley:{probe:<nodeId>}',
  type: 'string',
  ttl: '1 h',
  owner: 'redis',
  meaning: 'Written every second by its node: shows that Redis takes writes, and, once gone, that it was emptied.',
}) as (nodeId: string) => string;

export const connectionLeasesKey = keyOf({
  name: 'connectionLeasesKey',
  pattern: 'parley:{user:<userId>}:connections',
  type: 'zset',
  ttl: 'that of its longest lease',
  owner: 'redis',
  meaning: 'Connection id -> end of its lease, Unix ms of the Redis clock: the sockets of a user over all nodes.',
}) as (userId: string) => string;
