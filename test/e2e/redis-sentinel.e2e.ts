import { afterAll, beforeAll, expect, it } from 'vitest';
import { TestCluster } from '../support/cluster.js';
import { directConversation } from '../support/conversations.js';
import { range, sendTexts, seqsHeard } from '../support/hearing.js';
import { RedisSentinel } from '../support/redis-sentinel.js';
import type { TestClient } from '../support/client.js';
import { eventually } from '../setup/patience.js';

let redis: RedisSentinel;
let cluster: TestCluster;
let conversationId: string;
let alice: TestClient;
let bob: TestClient;

beforeAll(async () => {
  redis = await RedisSentinel.start();
  cluster = await TestCluster.start({ nodes: 2, redis: false, settings: { redisUrl: redis.url } });
  conversationId = await directConversation(cluster.url(), 's-alice', 's-bob');
  [alice, bob] = [await cluster.connect('s-alice'), await cluster.connect('s-bob', 1)];
});

afterAll(async () => {
  await cluster?.stop();
  redis?.stop();
});

function bothAre(status: number): Promise<void> {
  const look = async () => {
    for (const node of [0, 1]) expect((await fetch(`${cluster.url(node)}/health/ready`)).status).toBe(status);
  };
  return eventually(look, { timeout: 20_000, interval: 50 });
}

it('finds the master by its Sentinels', async () => {
  await bothAre(200);
  await sendTexts(alice, conversationId, range(1, 5).map(String));
  await bob.waitForCount('new-message', 5);
});

it('goes over to the new master when master and replica are swapped', async () => {
  await redis.swap();
  await sendTexts(alice, conversationId, ['6']);
  await bob.waitForCount('new-message', 6, 15_000);
  await bothAre(200);
});

it('acks while there is no master, and tells the rest when there is a new one', async () => {
  await redis.killMaster();
  await bothAre(503);
  await sendTexts(alice, conversationId, ['7', '8']);
  await bothAre(200);
  await sendTexts(alice, conversationId, ['9']);
  await bob.waitForCount('new-message', 9, 15_000);
  expect(seqsHeard(bob, conversationId)).toEqual(range(1, 9));
});
