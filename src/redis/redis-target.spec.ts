import { describe, expect, it } from 'vitest';
import { SettingsError } from '../config/index.js';
import { redisTarget } from './redis-target.js';

describe('REDIS_URL', () => {
  it('names a single Redis with its credentials, database and TLS', () => {
    expect(redisTarget('rediss://me:p%40ss@cache.example:7000/3')).toEqual({
      isCluster: false,
      nodes: [{ host: 'cache.example', port: 7000 }],
      sentinel: null,
      access: { db: 3, username: 'me', password: 'p@ss', tls: {} },
    });
  });

  it('names a Redis Cluster by several nodes', () => {
    const target = redisTarget('redis://a:1, redis://b, redis://[::1]:3');
    expect(target.isCluster).toBe(true);
    expect(target.nodes).toEqual([
      { host: 'a', port: 1 },
      { host: 'b', port: 6379 },
      { host: '::1', port: 3 },
    ]);
  });

  it('names the Sentinels that know a master, with its database and their own password', () => {
    const url = 'rediss+sentinel://:secret@a/chat/2?sentinelPassword=other,rediss+sentinel://b:1';
    expect(redisTarget(url)).toEqual({
      isCluster: false,
      nodes: [
        { host: 'a', port: 26379 },
        { host: 'b', port: 1 },
      ],
      sentinel: { name: 'chat', password: 'other' },
      access: { db: 2, password: 'secret', tls: {} },
    });
  });

  it.each(['redis+sentinel://a', 'redis+sentinel://a/chat/x', 'redis+sentinel://a/chat,redis://b'])(
    'refuses %s',
    (text) => {
      expect(() => redisTarget(text)).toThrow(SettingsError);
    },
  );

  it.each(['http://a', 'redis://', 'a:6379', 'redis://a/x', 'redis://a/1,redis://b/1'])('refuses %s', (text) => {
    expect(() => redisTarget(text)).toThrow(SettingsError);
  });
});
