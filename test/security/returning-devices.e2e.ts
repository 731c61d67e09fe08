import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Message } from '../../src/common/index.js';
import { BacklogRepository } from '../../src/delivery/backlog.repository.js';
import { RedeliveryBudget } from '../../src/delivery/redelivery.budget.js';
import type { TestClient } from '../support/client.js';
import { TestCluster } from '../support/cluster.js';
import { groupConversation } from '../support/conversations.js';
import { range } from '../support/hearing.js';

const budgetBytes = 2 * 1_048_576;
const [devices, missed] = [25, 250];
let cluster: TestCluster;

beforeAll(async () => {
  const settings = { redeliveryBudgetBytes: budgetBytes, handshakesBurst: 1_000 };
  cluster = await TestCluster.start({ nodes: 1, settings });
});

afterAll(() => cluster.stop());

it('holds no more than its budget for devices that return at once, and gives each all of it in order', async () => {
  const app = cluster.nodes[0]!.app!;
  const [budget, repository] = [app.get(RedeliveryBudget), app.get(BacklogRepository)];
  const users = range(1, devices).map((i) => `returns-${i}`);
  const owner = await cluster.connect('returns-owner', 0);
  const conversationId = await groupConversation(cluster.url(), 'returns-owner', users);
  const send = (text: string) => owner.ask('send-message', { conversationId, content: { text } });
  for (let sent = 0; sent < missed; sent += 50) await Promise.all(range(1, 50).map((i) => send(`${sent + i}`)));

  // Looked at wherever a page is read: that is when the most is held.
  let [peakBytes, pagesAtOnce, pagesRead] = [0, 0, 0];
  const pages = repository.pages.bind(repository);
  let reading = 0;
  repository.pages = async (questions) => {
    pagesRead += questions.length;
    reading += questions.length;
    pagesAtOnce = Math.max(pagesAtOnce, reading);
    peakBytes = Math.max(peakBytes, budget.heldBytes);
    const found = await pages(questions).finally(() => (reading -= questions.length));
    peakBytes = Math.max(peakBytes, budget.heldBytes);
    return found;
  };
  const back: TestClient[] = await Promise.all(users.map((user) => cluster.connect(user, 0, { deviceId: 'phone' })));
  const live = await send('live');
  await Promise.all(back.map((device) => device.waitForCount('new-message', missed + 1, 30_000)));
  repository.pages = pages;

  for (const device of back) {
    const seqs = device.of<Message>('new-message').map(({ seq }) => seq);
    expect(seqs).toEqual([...seqs].sort((a, b) => a - b));
    expect(new Set(seqs).size).toBe(missed + 1);
    expect(seqs.at(-1)).toBe(live.message.seq);
  }
  expect(peakBytes).toBeGreaterThan(0);
  expect(peakBytes).toBeLessThanOrEqual(budgetBytes);
  expect(pagesAtOnce).toBeLessThanOrEqual(2);
  // A page has 100 messages.
  expect(pagesRead).toBeGreaterThanOrEqual(devices * 3);
  for (const device of back) device.close();
  await expect.poll(() => budget.heldBytes).toBe(0);
});
