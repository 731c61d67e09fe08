import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Profile } from '../../src/users/index.js';
import { rest, type RestAnswer } from '../support/client.js';
import { TestCluster } from '../support/cluster.js';

let cluster: TestCluster;
let sql: pg.Pool;
beforeAll(async () => {
  cluster = await TestCluster.start();
  sql = new pg.Pool({ connectionString: cluster.database.url, max: 2 });
});
afterAll(async () => {
  await sql?.end();
  await cluster?.stop();
});

/** User ids nobody else has. */
function someUsers(count: number): string[] {
  return Array.from({ length: count }, (_, i) => `user-${i}-${randomUUID().slice(0, 8)}`);
}

interface Problem {
  code: string;
  details: { path: string }[];
}

/** Calls REST as a user, of node 0 or 1. */
const call = <T>(userId: string, method: string, path: string, body?: unknown, node = 0): Promise<RestAnswer<T>> =>
  rest<T>(cluster.url(node), userId, method, path, body);

async function isStored(userId: string): Promise<boolean> {
  return (await sql.query('SELECT 1 FROM users WHERE id = $1', [userId])).rows.length > 0;
}

it('creates a user at the first socket or the first request', async () => {
  const [alice, bob] = someUsers(2) as [string, string];
  await cluster.connect(alice);
  expect(await isStored(alice)).toBe(true);
  expect(await isStored(bob)).toBe(false);
  await call(bob, 'GET', '/v1/conversations');
  expect(await isStored(bob)).toBe(true);
});

it('shows and changes one’s own profile, the same on both nodes', async () => {
  const [alice] = someUsers(1) as [string];
  const fresh = (await call<Profile>(alice, 'GET', '/v1/me')).body;
  expect(fresh).toEqual({
    id: alice,
    kind: 'person',
    displayName: null,
    avatarUrl: null,
    metadata: {},
    privacy: { lastSeen: 'contacts', online: 'contacts', groups: 'everyone', readReceipts: true },
    createdAt: expect.stringMatching(/^\d{4}-.*Z$/),
  });
  const change = { displayName: 'Alice 🐇', avatarUrl: 'https://example.com/a.png', privacy: { lastSeen: 'nobody' } };
  const changed = await call<Profile>(alice, 'PATCH', '/v1/me', change);
  expect(changed.status).toBe(200);
  expect(changed.body).toEqual({ ...fresh, ...change, privacy: { ...fresh.privacy, lastSeen: 'nobody' } });
  await call(alice, 'PATCH', '/v1/me', { displayName: null, privacy: { readReceipts: false } }, 1);
  expect((await call<Profile>(alice, 'GET', '/v1/me')).body).toEqual({
    ...changed.body,
    displayName: null,
    privacy: { lastSeen: 'nobody', online: 'contacts', groups: 'everyone', readReceipts: false },
  });
  expect((await call(alice, 'PATCH', '/v1/me', {})).status).toBe(200);
  await call(alice, 'PATCH', '/v1/me', { privacy: { groups: 'nobody', online: 'everyone' } });
  const reset = { lastSeen: null, readReceipts: null, groups: 'contacts' };
  expect((await call<Profile>(alice, 'PATCH', '/v1/me', { privacy: reset })).body.privacy).toEqual({
    ...fresh.privacy,
    online: 'everyone',
    groups: 'contacts',
  });
});

it('refuses what a profile cannot be, naming the path', async () => {
  const [alice] = someUsers(1) as [string];
  const wrong: [object, string][] = [
    [{ displayName: '' }, 'displayName'],
    [{ displayName: 'x'.repeat(101) }, 'displayName'],
    [{ displayName: 7 }, 'displayName'],
    [{ avatarUrl: 'javascript:alert(1)' }, 'avatarUrl'],
    [{ avatarUrl: 'ftp://example.com/a.png' }, 'avatarUrl'],
    [{ avatarUrl: `https://example.com/${'x'.repeat(8_192)}` }, 'avatarUrl'],
    [{ privacy: null }, 'privacy'],
    [{ privacy: [] }, 'privacy'],
    [{ privacy: 'everyone' }, 'privacy'],
    [{ privacy: { online: 'friends' } }, 'privacy.online'],
    [{ privacy: { readReceipts: 'no' } }, 'privacy.readReceipts'],
    [{ privacy: { groups: 'friends' } }, 'privacy.groups'],
    [{ privacy: { colour: 'red' } }, 'privacy.colour'],
    [{ id: 'bob' }, 'id'],
  ];
  for (const [body, path] of wrong) {
    const answer = await call<Problem>(alice, 'PATCH', '/v1/me', body);
    expect([body, answer.status, answer.body.details[0]?.path]).toEqual([body, 400, path]);
  }
});

it('refuses what a route does not ask for, in the query and in the body', async () => {
  const [alice, bob] = someUsers(2) as [string, string];
  const answers = await Promise.all([
    call<Problem>(alice, 'GET', '/v1/me?verbose=1'),
    call<Problem>(alice, 'PATCH', '/v1/me?verbose=1', {}),
    call<Problem>(alice, 'PUT', `/v1/me/contacts/${bob}`, { verbose: true }),
    call<Problem>(alice, 'GET', '/v1/conversations/0190a000-0000-7000-8000-000000000000?verbose=1'),
  ]);
  for (const { status, body } of answers) {
    expect([status, body.code, body.details[0]?.path]).toEqual([400, 'VALIDATION_FAILED', 'verbose']);
  }
  expect((await call(alice, 'PUT', `/v1/me/contacts/${bob}`, {})).status).toBe(204);
});
