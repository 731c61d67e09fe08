import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeSettings } from '../../src/config/index.js';
import { ConnectionHooks } from '../../src/realtime/index.js';
import { TestClock } from '../../src/testing/index.js';
import { connect, open, refusedConnection, rest, testSecret, tokenFor } from '../support/client.js';
import { TestCluster } from '../support/cluster.js';
import { range } from '../support/hearing.js';
import { RawSocket } from '../support/raw-socket.js';
import { atMost, eventually } from '../setup/patience.js';

const allowed = 'https://app.example.com';
const foreign = 'https://evil.example';
const appOrigin = 'capacitor://localhost';
const wildcard = 'https://*.staging.example.com';

let cluster: TestCluster;

beforeAll(async () => {
  cluster = await TestCluster.start({ settings: { corsOrigins: [allowed, appOrigin, wildcard], jwtLeewaySeconds: 0 } });
});

const others: TestCluster[] = [];

afterAll(async () => {
  for (const one of [cluster, ...others]) await one?.stop();
});

/** Tokens end on it when the test says so. */
async function nodeWithStoppedClock(): Promise<{ node: TestCluster; clock: TestClock }> {
  const clock = new TestClock();
  clock.stop();
  const node = await TestCluster.start({ redis: false, extensions: { clock } });
  others.push(node);
  return { node, clock };
}

describe('a browser page', () => {
  const polling = (origin: string) =>
    fetch(`${cluster.url()}/socket.io/?EIO=4&transport=polling`, { headers: { origin } });

  it('of an allowed origin connects by WebSocket and by polling', async () => {
    expect((await RawSocket.open(cluster.url(), { origin: allowed })).isClosed).toBe(false);
    const response = await polling(allowed);
    expect(response.status).toBe(200);
    expect(response.headers.get('access-control-allow-origin')).toBe(allowed);
  });

  it('of another origin is refused by WebSocket and by polling', async () => {
    const raw = await RawSocket.open(cluster.url(), { origin: foreign });
    await raw.closes();
    expect(raw.heard).toEqual([]);
    const response = await polling(foreign);
    expect(response.status).toBe(403);
    expect(response.headers.get('access-control-allow-origin')).not.toBe(foreign);
  });

  it.each([appOrigin, 'https://a.staging.example.com'])(
    'of %s connects by WebSocket and by polling',
    async (origin) => {
      expect((await RawSocket.open(cluster.url(), { origin })).isClosed).toBe(false);
      const response = await polling(origin);
      expect(response.status).toBe(200);
      expect(response.headers.get('access-control-allow-origin')).toBe(origin);
    },
  );

  it.each([
    'capacitor://localhost.evil.example',
    'https://staging.example.com',
    'https://a.b.staging.example.com',
    'http://a.staging.example.com',
    'http://localhost:5173',
  ])('of %s is refused by both, with the reason', async (origin) => {
    await (await RawSocket.open(cluster.url(), { origin })).closes();
    const response = await polling(origin);
    expect(response.status).toBe(403);
    expect(await response.json()).toMatchObject({ message: expect.stringContaining('CORS_ORIGINS') as string });
    expect(response.headers.get('access-control-allow-origin')).toBeNull();
  });

  it('of localhost connects in development where CORS_ORIGINS is not set', async () => {
    const node = await cluster.addNode({ corsOrigins: [] });
    const response = await fetch(`${node.url}/socket.io/?EIO=4&transport=polling`, {
      headers: { origin: 'http://localhost:5173' },
    });
    expect(response.status).toBe(200);
    expect(response.headers.get('access-control-allow-origin')).toBe('http://localhost:5173');
  });

  it('of the origin null is refused', async () => {
    expect((await polling('null')).status).toBe(403);
  });
});

it('CORS_ORIGINS=* lets the pages of any origin connect, by WebSocket, by polling and over REST', async () => {
  const node = await cluster.addNode({ corsOrigins: ['*'] });
  expect((await RawSocket.open(node.url, { origin: foreign })).isClosed).toBe(false);
  for (const path of ['/socket.io/?EIO=4&transport=polling', '/health/live']) {
    const response = await fetch(`${node.url}${path}`, { headers: { origin: foreign } });
    expect(response.headers.get('access-control-allow-origin'), path).toBe(foreign);
  }
});

describe('a token', () => {
  it('in the query string is no token', async () => {
    const token = await tokenFor('q-alice');
    expect((await refusedConnection(cluster.url(), {}, { query: { token } })).code).toBe('UNAUTHENTICATED');
    const raw = await RawSocket.open(cluster.url(), {}, `&token=${token}`);
    raw.send('40');
    expect(await raw.hears((text) => text.startsWith('44'))).toContain('UNAUTHENTICATED');
    raw.close();
  });

  it('is needed in every namespace, also to learn that there is none', async () => {
    const [good, expired] = [await tokenFor('n-alice'), await tokenFor('n-alice', { expiresInSeconds: -60 })];
    for (const [token, code] of [
      [undefined, 'UNAUTHENTICATED'],
      ['forged', 'UNAUTHENTICATED'],
      [expired, 'TOKEN_EXPIRED'],
      [good, 'NOT_FOUND'],
    ]) {
      const refusal = await refusedConnection(`${cluster.url()}/admin`, token === undefined ? {} : { token });
      expect(refusal).toMatchObject({ code, retryable: false, requestId: expect.any(String) as string });
    }
  });

  it('nothing is heard of an event before sign-in', async () => {
    const raw = await RawSocket.open(cluster.url());
    raw.send('421["heartbeat"]');
    await raw.closes();
    expect(raw.heard.filter((text) => text.startsWith('43'))).toEqual([]);
  });

  it('that expires while connected ends the session with TOKEN_EXPIRED', async () => {
    const { node, clock } = await nodeWithStoppedClock();
    const alice = await node.connect('e-alice', 0, { expiresInSeconds: 2 });
    await alice.ask('heartbeat');
    clock.advance(600_000);
    const gone = new Promise<string>((resolve) => alice.socket.once('disconnect', resolve));
    expect(await alice.waitFor('error')).toMatchObject({ code: 'TOKEN_EXPIRED' });
    expect(await gone).toBe('io server disconnect');
  });

  it('is renewed by refresh-token, and only by one of the same user', async () => {
    const { node, clock } = await nodeWithStoppedClock();
    const alice = await node.connect('f-alice', 0, { expiresInSeconds: 2 });
    expect((await alice.refused('refresh-token', { token: await tokenFor('f-mallory') })).code).toBe('FORBIDDEN');
    expect((await alice.refused('refresh-token', { token: 'x' })).code).toBe('UNAUTHENTICATED');
    await alice.ask('refresh-token', { token: await tokenFor('f-alice') });
    clock.advance(600_000);
    // Longer than the timer of the first token.
    await new Promise((resolve) => setTimeout(resolve, 2_500));
    await alice.ask('heartbeat');
    expect(alice.of('error')).toEqual([]);
  });

  it('revoked on one node ends its sessions on another within 2 s, and lets nobody in again', async () => {
    const token = await tokenFor('r-alice');
    const alice = await cluster.connect('r-alice', 1, { token });
    const startedAt = performance.now();
    const gone = new Promise<void>((resolve) => alice.socket.once('disconnect', () => resolve()));
    const { status } = await rest(
      cluster.url(0),
      'r-admin',
      'POST',
      '/v1/auth/revoke',
      { sub: 'r-alice' },
      { claims: { scope: 'admin' } },
    );
    expect(status).toBe(204);
    await gone;
    expect(performance.now() - startedAt).toBeLessThan(atMost(2_000));
    expect(alice.of('error').at(-1)).toMatchObject({ code: 'TOKEN_REVOKED' });
    for (const node of [0, 1]) {
      expect((await refusedConnection(cluster.url(node), { token })).code).toBe('TOKEN_REVOKED');
    }
  });
});

describe('a handshake', () => {
  const deviceIds = ['', 'x'.repeat(65), 'a b', 'ä', 'a/b', 'a\n', 7, true, null, {}, ['a']];
  const ackModes = ['', 'AUTO', 'none', 1, null, ['auto']];

  it.each([
    ...deviceIds.map((deviceId) => ['deviceId', deviceId] as const),
    ...ackModes.map((ackMode) => ['ackMode', ackMode] as const),
  ])('with the %s %j is refused', async (name, value) => {
    const refusal = await refusedConnection(cluster.url(), { token: await tokenFor('h-alice'), [name]: value });
    expect(refusal).toMatchObject({ code: 'VALIDATION_FAILED', retryable: false, details: [{ path: name }] });
  });

  it('takes 64 characters for a device, and the default for none', async () => {
    for (const deviceId of ['A-Za-z0-9._-'.repeat(6).slice(0, 64), undefined]) {
      const client = await cluster.connect('h-alice', 0, deviceId === undefined ? {} : { deviceId });
      expect(await client.waitFor('session-ready')).toMatchObject({ deviceId: deviceId ?? 'default' });
    }
  });
});

describe('the twenty-first socket of a user', () => {
  it('is refused wherever it knocks, and taken when another has gone', async () => {
    const sockets = [];
    for (const i of range(0, 19)) sockets.push(await cluster.connect('s-alice', i % 2));
    const token = await tokenFor('s-alice');
    for (const node of [0, 1]) {
      expect(await refusedConnection(cluster.url(node), { token })).toMatchObject({
        code: 'RATE_LIMITED',
        retryable: true,
      });
    }
    sockets[0]!.close();
    await expect
      .poll(() =>
        connect(cluster.url(1), 's-alice').then(
          (client) => (client.close(), true),
          () => false,
        ),
      )
      .toBe(true);
  });

  it('is one of exactly twenty that get in when thirty knock at once', async () => {
    const clients = await Promise.all(range(0, 29).map((i) => open(cluster.url(i % 2), 's-bob')));
    const admitted = await Promise.all(
      clients.map(
        ({ socket }) =>
          new Promise<boolean>((resolve) => {
            socket.once('connect', () => resolve(true));
            socket.once('connect_error', () => resolve(false));
          }),
      ),
    );
    expect(admitted.filter(Boolean)).toHaveLength(20);
    clients.forEach((client) => client.close());
  });
});

it('a link that answers no ping is closed in time, whatever else it says', async () => {
  const node = await cluster.addNode({ pingIntervalMs: 400, pingTimeoutMs: 400 });
  const [answering, silent] = [
    await RawSocket.connect(node.url, 'p-alice'),
    await RawSocket.connect(node.url, 'p-bob'),
  ];
  silent.answersPings = false;
  const startedAt = performance.now();
  const talk = setInterval(() => silent.send('42["heartbeat"]'), 50);
  await silent.closes().finally(() => clearInterval(talk));
  expect(performance.now() - startedAt).toBeLessThan(atMost(2_500));
  expect(answering.isClosed).toBe(false);
  answering.close();
  const { pingIntervalMs, pingTimeoutMs } = makeSettings({ jwtSecret: testSecret });
  expect(pingIntervalMs + pingTimeoutMs).toBeLessThanOrEqual(25_000);
});

it('a handshake that came to nothing in time keeps no place among its user’s sockets', async () => {
  const node = await cluster.addNode({ maxSocketsPerUser: 1, eventTimeoutMs: 300 });
  let goOn = (): void => undefined;
  const slow = new Promise<void>((resolve) => (goOn = resolve));
  let isSlow = true;
  node.app!.get(ConnectionHooks).register({ beforeConnect: () => (isSlow ? slow : undefined) });
  const raw = await RawSocket.open(node.url);
  raw.send(`40${JSON.stringify({ token: await tokenFor('late-alice') })}`);
  expect(await raw.hears((text) => text.startsWith('44'))).toContain('UNAVAILABLE');
  isSlow = false;
  goOn();
  await new Promise(setImmediate);
  await eventually(async () => (await connect(node.url, 'late-alice')).close(), { timeout: 3_000, interval: 100 });
  expect(raw.isClosed).toBe(false);
  raw.close();
});
