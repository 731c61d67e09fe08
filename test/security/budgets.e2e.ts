import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ErrorBody } from '../../src/common/index.js';
import { TestClock } from '../../src/testing/index.js';
import { connect, refusedConnection, rest, tokenFor, type TestClient } from '../support/client.js';
import { TestCluster } from '../support/cluster.js';
import { directConversation } from '../support/conversations.js';
import { range } from '../support/hearing.js';
import { RawSocket } from '../support/raw-socket.js';
import { patient } from '../setup/patience.js';

// The clock stands still, so that budgets do not fill up behind the test's back.
const clock = new TestClock();
clock.stop();
const rates = { perSecond: 1, burst: 40 };

let cluster: TestCluster;
let conversationId: string;

beforeAll(async () => {
  cluster = await TestCluster.start({
    redis: false,
    settings: {
      rateEventsPerSecond: rates.perSecond,
      rateEventsBurst: rates.burst,
      rateRequestsPerSecond: rates.perSecond,
      rateRequestsBurst: rates.burst,
      failedSignInsPerMinute: 6,
      // Tokens are minted by the real clock.
      jwtLeewaySeconds: 300,
    },
    extensions: { clock },
  });
  conversationId = await directConversation(cluster.url(), 'b-alice', 'b-bob');
});

afterAll(() => cluster?.stop());

/** How many units are left: each heartbeat costs one. */
async function unitsLeft(client: TestClient): Promise<number> {
  for (let left = 0; ; left++) {
    const answer = await client.ask('heartbeat').catch((error: ErrorBody) => error);
    if ('code' in answer) {
      expect(answer).toMatchObject({ code: 'RATE_LIMITED', retryable: true, retryAfterMs: 1_000 / rates.perSecond });
      return left;
    }
  }
}

describe('an event', () => {
  const ids = (count: number) => range(1, count).map((i) => `id-${i}`);

  it.each([
    ['join-conversation', () => conversationId, 1],
    ['get-messages', () => ({ conversationId }), 1],
    ['get-messages', () => ({ conversationId, limit: 51 }), 2],
    ['get-messages', () => ({ conversationId, limit: 200 }), 4],
    ['get-messages', () => ({ conversationId, limit: 5_000 }), 1],
    ['get-messages', () => ({ conversationId, limit: { valueOf: 1 } }), 1],
    ['sync', () => ({ since: null }), 4],
    ['sync', () => ({ since: null, limit: 50 }), 1],
    ['get-presence', () => ids(50), 1],
    ['get-presence', () => ({ userIds: ids(51) }), 2],
    ['subscribe-presence', () => ids(500), 10],
    ['unsubscribe-presence', () => ids(9_000), 10],
    ['send-message', () => ({ conversationId, limit: 200 }), 1],
    ['send-message', () => 'x'.repeat(200_000), 1],
    ['heartbeat', () => ({ ['k'.repeat(99)]: 1 }), 1],
    ['no-such-event', () => ({}), 1],
  ])('%s, number %#, costs what the contract says', async (event, payload, units) => {
    const alice = await cluster.connect('b-alice', 0, { deviceId: `d-${Math.random().toString(36).slice(2)}` });
    try {
      await alice.socket.timeout(5_000).emitWithAck(event, payload());
      expect(await unitsLeft(alice)).toBe(rates.burst - units);
    } finally {
      alice.close();
    }
  });

  it('is refused when its socket cannot pay all of it, and then takes nothing', async () => {
    const alice = await connect(cluster.url(), 'b-alice');
    for (let i = 0; i < 9; i++) await alice.ask('sync', { since: null });
    await alice.ask('heartbeat');
    const refusal = await alice.refused('sync', { since: null });
    expect(refusal).toMatchObject({ code: 'RATE_LIMITED', retryAfterMs: 1_000 });
    expect(await unitsLeft(alice)).toBe(3);
    alice.close();
  });
});

describe('a request', () => {
  const get = (userId: string, path: string) => rest<ErrorBody>(cluster.url(), userId, 'GET', path);

  async function requestsLeft(userId: string): Promise<number> {
    for (let left = 0; ; left++) {
      const { status, body, headers } = await get(userId, '/v1/me');
      if (status === 200) continue;
      expect(status).toBe(429);
      expect(headers.get('retry-after')).toBe(String(1 / rates.perSecond));
      expect(headers.get('content-type')).toContain('application/problem+json');
      expect(body).toMatchObject({ code: 'RATE_LIMITED', retryable: true, retryAfterMs: 1_000 });
      return left;
    }
  }

  it.each([
    ['/v1/conversations', 1],
    ['/v1/conversations?limit=200', 4],
    ['/v1/conversations?limit=201', 1],
    ['/v1/me/contacts?limit=51', 2],
    ['/v1/search/messages?q=x&limit=1', 10],
    ['/v1/search/messages?q=', 10],
    [`/v1/presence?userIds=${range(1, 100).join()}`, 2],
    ['/v1/nothing-here', 1],
    ['/v1/messages/no-id/status', 1],
  ])('%s costs what the contract says', async (path, units) => {
    const userId = `b-${Math.random().toString(36).slice(2)}`;
    await get(userId, path);
    expect(await requestsLeft(userId)).toBe(rates.burst - units);
    expect((await get('b-bystander', '/v1/me')).status).toBe(200);
  });

  it('with a body that is no JSON costs 1, and one without a token is not read', async () => {
    const post = async (token: string | null, body: string) =>
      fetch(`${cluster.url()}/v1/conversations`, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          ...(token === null ? {} : { authorization: `Bearer ${token}` }),
        },
        body,
      });
    expect((await post(await tokenFor('b-malformed'), '{"kind":')).status).toBe(400);
    expect(await requestsLeft('b-malformed')).toBe(rates.burst - 1);
    expect((await post(null, '{"kind":')).status).toBe(401);
  });
});

describe('bad tokens of one address', () => {
  const badRequest = () =>
    fetch(`${cluster.url()}/v1/me`, { headers: { authorization: 'Bearer x.y.z' } }).then(({ status }) => status);

  it('are RATE_LIMITED above their number, through whichever door; all other answers stay', async () => {
    clock.advance(60_000);
    const alice = await connect(cluster.url(), 'b-alice');
    const first = [await badRequest(), await badRequest()];
    expect(first).toEqual([401, 401]);
    const codes = [];
    for (let i = 0; i < 2; i++) codes.push((await alice.refused('refresh-token', { token: 'x' })).code);
    for (let i = 0; i < 3; i++) codes.push((await refusedConnection(cluster.url(), { token: 'x' })).code);
    expect(codes).toEqual([...new Array<string>(4).fill('UNAUTHENTICATED'), 'RATE_LIMITED']);
    expect(await badRequest()).toBe(429);
    expect((await alice.refused('refresh-token', { token: 'x' })).code).toBe('RATE_LIMITED');
    alice.close();

    expect((await refusedConnection(cluster.url(), {})).code).toBe('UNAUTHENTICATED');
    const expired = await tokenFor('b-alice', { expiresInSeconds: -3_600 });
    expect((await refusedConnection(cluster.url(), { token: expired })).code).toBe('TOKEN_EXPIRED');
    expect((await rest(cluster.url(), 'b-after', 'GET', '/v1/me')).status).toBe(200);
    (await connect(cluster.url(), 'b-after')).close();
  });

  it('do not count when the token is missing or has expired', async () => {
    clock.advance(60_000);
    const expired = await tokenFor('b-alice', { expiresInSeconds: -3_600 });
    for (let i = 0; i < 10; i++) {
      await refusedConnection(cluster.url(), {});
      await refusedConnection(cluster.url(), { token: expired });
    }
    expect((await refusedConnection(cluster.url(), { token: 'x' })).code).toBe('UNAUTHENTICATED');
  });
});

it('bad sign-ins take no place from good ones', async () => {
  const node = await cluster.addNode({ handshakesPerSecond: 1, handshakesBurst: 2 });
  const raw = await RawSocket.open(node.url);
  for (let i = 0; i < 100; i++) raw.send('40{"token":"x"}');
  await expect
    .poll(() => raw.heard.filter((text) => text.startsWith('44')).length, { timeout: patient(10_000) })
    .toBe(100);
  for (const userId of ['b-good-1', 'b-good-2']) (await connect(node.url, userId)).close();
  raw.close();
});
