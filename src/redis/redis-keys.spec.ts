import { expect, it } from 'vitest';
import { busChannel, connectionLeasesKey, probeKey, redisKeys } from './redis-keys.js';

it('builds keys as their documented patterns say', () => {
  expect(busChannel()).toBe('parley:{bus}');
  expect(probeKey('n1')).toBe('parley:{probe:n1}');
  expect(connectionLeasesKey('alice')).toBe('parley:{user:alice}:connections');
});

it('gives every key the prefix, a hash tag and a name of its own', () => {
  for (const { pattern } of redisKeys) expect(pattern).toMatch(/^parley:.*\{[^}]+\}/);
  expect(new Set(redisKeys.map(({ name }) => name)).size).toBe(redisKeys.length);
});
