import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Page } from '../../src/common/index.js';
import type { ListedUser } from '../../src/users/index.js';
import { rest, type RestAnswer } from '../support/client.js';
import { TestCluster } from '../support/cluster.js';
import { directConversation, groupConversation } from '../support/conversations.js';

let cluster: TestCluster;
beforeAll(async () => {
  cluster = await TestCluster.start({ settings: { maxContacts: 5 } });
});
afterAll(async () => {
  await cluster?.stop();
});

/** User ids nobody else has. */
function someUsers(count: number): string[] {
  return Array.from({ length: count }, (_, i) => `user-${i}-${randomUUID().slice(0, 8)}`);
}

const call = <T>(userId: string, method: string, path = '', node = 0): Promise<RestAnswer<T>> =>
  rest<T>(cluster.url(node), userId, method, `/v1/me/contacts${path}`);
const put = (userId: string, contactId: string, node = 0): Promise<RestAnswer> =>
  call(userId, 'PUT', `/${encodeURIComponent(contactId)}`, node);
const remove = (userId: string, contactId: string, node = 0): Promise<RestAnswer> =>
  call(userId, 'DELETE', `/${encodeURIComponent(contactId)}`, node);
const list = async (userId: string, query = '', node = 0): Promise<Page<ListedUser>> =>
  (await call<Page<ListedUser>>(userId, 'GET', query, node)).body;
const idsOf = ({ items }: Page<ListedUser>): string[] => items.map(({ userId }) => userId);

it('adds, lists and takes off contacts, whom nobody need have seen', async () => {
  const [alice, bob, carol] = someUsers(3) as [string, string, string];
  const odd = `ünï / ?#% ${randomUUID()}`;
  expect((await put(alice, bob)).status).toBe(204);
  expect((await put(alice, bob, 1)).status).toBe(204);
  expect((await put(alice, odd)).status).toBe(204);
  expect((await list(alice, '', 1)).items).toEqual(
    [bob, odd].map((userId) => ({ userId, createdAt: expect.stringMatching(/^\d{4}-.*Z$/) })),
  );
  expect(await list(bob)).toEqual({ items: [], nextCursor: null });
  expect((await remove(alice, odd, 1)).status).toBe(204);
  const missing = await remove(alice, carol);
  expect([missing.status, missing.body.code]).toEqual([404, 'NOT_FOUND']);
  expect(idsOf(await list(alice))).toEqual([bob]);
});

it('counts the other sides of direct conversations, but not those of groups', async () => {
  const [alice, bob, carol] = someUsers(3) as [string, string, string];
  const url = cluster.url();
  await put(alice, bob);
  const { createdAt } = (await list(alice)).items[0]!;
  await directConversation(url, bob, alice);
  await groupConversation(url, alice, [bob, carol]);
  expect((await list(alice)).items).toEqual([{ userId: bob, createdAt }]);
  expect(idsOf(await list(bob))).toEqual([alice]);
  expect((await remove(bob, alice)).status).toBe(404);
  expect((await remove(alice, bob)).status).toBe(204);
  expect(idsOf(await list(alice))).toEqual([bob]);
});

it('lists page by page, each once', async () => {
  const [alice, ...others] = someUsers(6) as [string, ...string[]];
  for (const other of others.slice(0, 4)) await put(alice, other);
  for (const other of others.slice(2)) await directConversation(cluster.url(), alice, other);
  const first = await list(alice, '?limit=2');
  const second = await list(alice, `?limit=2&cursor=${first.nextCursor}`);
  const third = await list(alice, `?limit=2&cursor=${second.nextCursor}`);
  expect([first, second, third].map((page) => page.items.length)).toEqual([2, 2, 1]);
  expect(third.nextCursor).toBeNull();
  expect([first, second, third].flatMap(idsOf).sort()).toEqual([...others].sort());
});

it('refuses oneself, what no user id is, and cursors and limits that are none', async () => {
  const [alice] = someUsers(1) as [string];
  const wrong = await Promise.all([
    put(alice, alice),
    put(alice, 'x'.repeat(129)),
    put(alice, 'a\u0000b'),
    remove(alice, 'a\nb'),
    call(alice, 'GET', '?cursor=abc'),
    call(alice, 'GET', `?cursor=${Buffer.from('[""]').toString('base64url')}`),
    call(alice, 'GET', '?limit=0'),
    call(alice, 'GET', '?limit=201'),
    call(alice, 'GET', '?order=asc'),
  ]);
  expect(wrong.map(({ status, body }) => [status, body.code])).toEqual(wrong.map(() => [400, 'VALIDATION_FAILED']));
});

it('keeps to the limit when two nodes add at once, and still knows those who are there', async () => {
  const [alice, ...others] = someUsers(11) as [string, ...string[]];
  const answers = await Promise.all(others.map((other, i) => put(alice, other, i)));
  expect(answers.map(({ status }) => status).sort()).toEqual([...Array(5).fill(204), ...Array(5).fill(409)]);
  const [present] = idsOf(await list(alice)) as [string];
  expect((await put(alice, present)).status).toBe(204);
  expect((await remove(alice, present)).status).toBe(204);
  expect((await put(alice, others.at(-1)!)).status).toBe(204);
});
