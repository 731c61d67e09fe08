import { startParley } from './parley.mjs';
import { startPrototype } from './prototype.mjs';
import { startRelay } from './relay.mjs';
import { startTutorial } from './tutorial.mjs';

/**
 * The measured servers, by name. Each starts fresh processes; durable ones use a database of their
 * own.
 *
 * @returns a target: `name`, `urls` and `pids` of its processes, `authOf(userId, rooms)`,
 *   `direct(a, b)` and `group(userIds)` (a conversation's id), `orderKey` (what stands before the
 *   growing number in a message), `stored()`, `stop()`
 */
export const starters = {
  parley: (services, options) => startParley(services, 'parley', options),
  'parley-plain': (services, options) => startParley(services, 'parley-plain', { ...options, isPlain: true }),
  'parley-redis': (services, options) => startParley(services, 'parley-redis', { ...options, hasRedis: true }),
  'parley-two': (services, options) => startParley(services, 'parley-two', { ...options, hasRedis: true, nodes: 2 }),
  relay: (services) => startRelay(services, 'relay'),
  corked: (services) => startRelay(services, 'corked', { isCorked: true }),
  'relay-redis': (services) => startRelay(services, 'relay-redis', { hasRedis: true }),
  'relay-two': (services) => startRelay(services, 'relay-two', { hasRedis: true, nodes: 2 }),
  prototype: (services) => startPrototype(services, 'prototype'),
  tutorial: (services) => startTutorial(services, 'tutorial'),
};

/** How a table names them. */
export const titles = {
  parley: 'Parley, durable',
  'parley-plain': 'Parley on the plain paths, durable',
  'parley-redis': 'Parley with Redis, durable',
  'parley-two': 'Parley, two nodes and Redis, durable',
  relay: 'bare relay',
  corked: 'bare relay, corked',
  'relay-redis': 'relay with the Redis adapter',
  'relay-two': 'two relays with the Redis adapter',
  prototype: 'the least that is durable',
  tutorial: 'tutorial Nest server, durable',
};
