import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Message } from '../../src/common/index.js';
import { refusedConnection, tokenFor } from '../support/client.js';
import { TestCluster } from '../support/cluster.js';
import { directConversation } from '../support/conversations.js';
import { range, sendTexts, seqsHeard } from '../support/hearing.js';
import { RedisCluster } from '../support/redis-cluster.js';
import { eventually } from '../setup/patience.js';

let redis: RedisCluster;
let cluster: TestCluster;

beforeAll(async () => {
  redis = await RedisCluster.start();
  cluster = await TestCluster.start({ nodes: 2, redis: false, settings: { redisUrl: redis.url } });
});

afterAll(async () => {
  await cluster?.stop();
  redis?.stop();
});

async function readiness(node: number): Promise<{ status: number; redis: string }> {
  const response = await fetch(`${cluster.url(node)}/health/ready`);
  const body = (await response.json()) as { dependencies: { redis: { status: string } } };
  return { status: response.status, redis: body.dependencies.redis.status };
}

function becomes(node: number, status: number): Promise<void> {
  return eventually(async () => expect((await readiness(node)).status).toBe(status), {
    timeout: 15_000,
    interval: 100,
  });
}

it('starts ready: a broadcast has crossed', async () => {
  expect(await readiness(0)).toEqual({ status: 200, redis: 'up' });
  expect(await readiness(1)).toEqual({ status: 200, redis: 'up' });
});

it('carries messages between nodes in order', async () => {
  const conversationId = await directConversation(cluster.url(), 'c-alice', 'c-bob');
  const [alice, bob] = [await cluster.connect('c-alice'), await cluster.connect('c-bob', 1)];
  await sendTexts(alice, conversationId, range(1, 50).map(String));
  await bob.waitForCount('new-message', 50);
  expect(seqsHeard(bob, conversationId)).toEqual(range(1, 50));
});

it('counts the sockets of a user over both nodes', async () => {
  for (const i of range(0, 19)) await cluster.connect('c-many', i);
  const error = await refusedConnection(cluster.url(1), { token: await tokenFor('c-many') });
  expect(error.code).toBe('RATE_LIMITED');
});

it('is not ready while broadcasts do not cross, also at start, and tells the rest when they do', async () => {
  const conversationId = await directConversation(cluster.url(), 'x-alice', 'x-bob');
  const [alice, bob] = [await cluster.connect('x-alice'), await cluster.connect('x-bob', 1)];
  await sendTexts(alice, conversationId, ['before']);
  await bob.waitFor('new-message');
  // Keys work, channels do not.
  await redis.onEach('acl', 'setuser', 'default', 'resetchannels');
  await becomes(0, 503);
  await cluster.addNode();
  await becomes(2, 503);
  await sendTexts(alice, conversationId, ['one', 'two']);
  await redis.onEach('acl', 'setuser', 'default', 'allchannels');
  for (const node of range(0, 2)) await becomes(node, 200);
  await bob.waitFor<Message>('new-message', ({ seq }) => seq === 3, 10_000);
  expect(seqsHeard(bob, conversationId)).toEqual([1, 2, 3]);
});

it('goes on without a hung master, and heals', async () => {
  const conversationId = await directConversation(cluster.url(), 'h-alice', 'h-bob');
  const [alice, bob] = [await cluster.connect('h-alice'), await cluster.connect('h-bob', 1)];
  await sendTexts(alice, conversationId, ['before']);
  redis.signal(1, 'SIGSTOP');
  await becomes(0, 503);
  await sendTexts(alice, conversationId, ['during']);
  redis.signal(1, 'SIGCONT');
  for (const node of [0, 1]) await becomes(node, 200);
  await sendTexts(alice, conversationId, ['after']);
  await bob.waitForCount('new-message', 3, 10_000);
  expect(seqsHeard(bob, conversationId)).toEqual([1, 2, 3]);
});
