import { expect, it } from 'vitest';
import { busChannel, connectionLeasesKey, probeKey, redisKeys } from './redis-keys.js';
import { redisNamespace } from './redis-namespace.js';

it('builds keys as their documented patterns say', () => {
  expect(busChannel().name).toBe('{bus}');
  expect(probeKey('n1').name).toBe('{probe:n1}');
  expect(connectionLeasesKey('alice').within('parley:0')).toBe('parley:0:{user:alice}:connections');
});

it('gives every key a hash tag in front and a name of its own', () => {
  for (const { pattern, type } of redisKeys) if (type !== 'channel') expect(pattern).toMatch(/^\{[^}]+\}/);
  expect(new Set(redisKeys.map(({ name }) => name)).size).toBe(redisKeys.length);
  expect(new Set(redisKeys.map(({ pattern }) => pattern)).size).toBe(redisKeys.length);
});

it('gives deployments that differ in one thing different namespaces', () => {
  const one = { prefix: 'parley', deployment: 'a', database: 0 };
  const all = [one, { ...one, prefix: 'other' }, { ...one, deployment: 'b' }, { ...one, database: 1 }];
  expect(new Set(all.map(redisNamespace)).size).toBe(all.length);
  expect(redisNamespace(one)).toBe(redisNamespace({ ...one }));
  expect(redisNamespace(one)).toMatch(/^parley:[0-9a-f]{16}$/);
});
