import type { RedisOptions } from 'ioredis';
import { SettingsError } from '../config/index.js';

/**
 * The target of `REDIS_URL`: a single Redis, nodes of a Redis Cluster (several URLs), or Sentinels
 * that know the master.
 */
export interface RedisTarget {
  isCluster: boolean;
  /** Addresses of Redis, or of the Sentinels. */
  nodes: { host: string; port: number }[];
  /**
   * The master's name among the Sentinels, and what they themselves ask for; null without Sentinel.
   */
  sentinel: { name: string; username?: string; password?: string } | null;
  /** Credentials, TLS and database; the first URL's. */
  access: Pick<RedisOptions, 'username' | 'password' | 'db' | 'tls'>;
}

const defaultPort = 6379;
const defaultSentinelPort = 26_379;
const protocols = /^rediss?(\+sentinel)?:$/;

function parsed(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (!url || !protocols.test(url.protocol) || url.hostname === '') {
    throw new SettingsError(['REDIS_URL: must be a URL such as redis://host:6379']);
  }
  return url;
}

function isSentinel(url: URL): boolean {
  return url.protocol.endsWith('+sentinel:');
}

function databaseOf(path: string): number {
  if (!/^\d{0,4}$/.test(path)) throw new SettingsError(['REDIS_URL: the path must be a database number']);
  return Number(path);
}

function pathOf(url: URL): string[] {
  return url.pathname.replace(/^\//, '').split('/');
}

function sentinelOf(url: URL): RedisTarget['sentinel'] {
  if (!isSentinel(url)) return null;
  const name = decodeURIComponent(pathOf(url)[0]!);
  if (name === '') throw new SettingsError(['REDIS_URL: a Sentinel needs the name of the master as its path']);
  const [username, password] = [url.searchParams.get('sentinelUsername'), url.searchParams.get('sentinelPassword')];
  return { name, ...(username === null ? {} : { username }), ...(password === null ? {} : { password }) };
}

function accessOf(url: URL): RedisTarget['access'] {
  return {
    db: databaseOf(pathOf(url).at(isSentinel(url) ? 1 : 0) ?? ''),
    ...(url.username === '' ? {} : { username: decodeURIComponent(url.username) }),
    ...(url.password === '' ? {} : { password: decodeURIComponent(url.password) }),
    ...(url.protocol.startsWith('rediss') ? { tls: {} } : {}),
  };
}

/**
 * Reads `REDIS_URL`. Credentials, path and query are the first URL's.
 *
 * @param redisUrl one URL, or several separated by commas;
 *   `redis+sentinel://:password@host:26379/master/0`, with `?sentinelPassword=` where the Sentinels
 *   have one of their own
 * @throws SettingsError for what no Redis could ever answer to; a Redis that is merely away is no
 *   error
 */
export function redisTarget(redisUrl: string): RedisTarget {
  const urls = redisUrl.split(',').map((text) => parsed(text.trim()));
  if (new Set(urls.map(({ protocol }) => protocol)).size > 1) {
    throw new SettingsError(['REDIS_URL: all its URLs must begin alike']);
  }
  const sentinel = sentinelOf(urls[0]!);
  const isCluster = urls.length > 1 && sentinel === null;
  const access = accessOf(urls[0]!);
  if (isCluster && access.db !== 0) throw new SettingsError(['REDIS_URL: a Redis Cluster has database 0 only']);
  const nodes = urls.map((url) => ({
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: url.port === '' ? (sentinel ? defaultSentinelPort : defaultPort) : Number(url.port),
  }));
  return { isCluster, nodes, sentinel, access };
}
