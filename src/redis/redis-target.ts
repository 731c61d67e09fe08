import type { RedisOptions } from 'ioredis';
import { SettingsError } from '../config/index.js';

/** What `REDIS_URL` says: a single Redis, or (several URLs) nodes of a Redis Cluster. */
export interface RedisTarget {
  isCluster: boolean;
  nodes: { host: string; port: number }[];
  /** Credentials, TLS and database; the first URL's. */
  access: Pick<RedisOptions, 'username' | 'password' | 'db' | 'tls'>;
}

const defaultPort = 6379;

function parsed(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (!url || !/^rediss?:$/.test(url.protocol) || url.hostname === '') {
    throw new SettingsError(['REDIS_URL: must be a URL such as redis://host:6379']);
  }
  return url;
}

function databaseOf(url: URL): number {
  const path = url.pathname.replace(/^\//, '');
  if (!/^\d{0,4}$/.test(path)) throw new SettingsError(['REDIS_URL: the path must be a database number']);
  return Number(path);
}

function accessOf(url: URL): RedisTarget['access'] {
  return {
    db: databaseOf(url),
    ...(url.username === '' ? {} : { username: decodeURIComponent(url.username) }),
    ...(url.password === '' ? {} : { password: decodeURIComponent(url.password) }),
    ...(url.protocol === 'rediss:' ? { tls: {} } : {}),
  };
}

/**
 * Reads `REDIS_URL`.
 *
 * @param redisUrl one URL, or several separated by commas
 * @throws SettingsError for what no Redis could ever answer to; a Redis that is merely away is no error
 */
export function redisTarget(redisUrl: string): RedisTarget {
  const urls = redisUrl.split(',').map((text) => parsed(text.trim()));
  const isCluster = urls.length > 1;
  const access = accessOf(urls[0]!);
  if (isCluster && access.db !== 0) throw new SettingsError(['REDIS_URL: a Redis Cluster has database 0 only']);
  const nodes = urls.map((url) => ({
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: url.port === '' ? defaultPort : Number(url.port),
  }));
  return { isCluster, nodes, access };
}
