/** What the log says of sign-ins, refusals and revocations, behind a proxy that is really there. */
import type { ChildProcess } from 'node:child_process';
import { request } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePort } from '../../src/embedded/index.js';
import { spawnSource } from '../setup/node-process.js';
import { createDatabase, type TestDatabase } from '../setup/services.js';
import { testSecret, tokenFor } from '../support/client.js';
import { ForwardingProxy } from '../support/forwarding-proxy.js';
import { RawSocket } from '../support/raw-socket.js';
import { eventually } from '../setup/patience.js';

// Whole processes start here, each in seconds on a busy machine.
const patience = { timeout: 30_000, interval: 20 };
const forged = '198.51.100.1';
let database: TestDatabase;

beforeAll(async () => {
  database = await createDatabase();
});

afterAll(() => database?.drop());

/** A server, a proxy in front of it, and what the server has logged. */
class Scene {
  private constructor(
    private readonly child: ChildProcess,
    readonly proxy: ForwardingProxy,
    private readonly output: { text: string },
  ) {}

  static async start(env: NodeJS.ProcessEnv): Promise<Scene> {
    const port = await freePort();
    const own = {
      DATABASE_URL: database.url,
      REDIS_URL: '',
      PATH: '/nowhere',
      JWT_SECRET: testSecret,
      LOG_LEVEL: 'info',
    };
    const child = await spawnSource('main.js', { NODE_ENV: '', HOST: '127.0.0.1', PORT: String(port), ...own, ...env });
    const output = { text: '' };
    for (const stream of [child.stdout!, child.stderr!]) {
      stream.setEncoding('utf8').on('data', (chunk: string) => (output.text += chunk));
    }
    await eventually(() => expect(output.text).toContain('Parley listens'), { timeout: 60_000, interval: 50 });
    return new Scene(child, await ForwardingProxy.start(port), output);
  }

  async stop(): Promise<void> {
    this.proxy.stop();
    this.child.kill('SIGKILL');
    await eventually(() => expect(this.child.signalCode).not.toBeNull(), patience);
  }

  get lines(): Record<string, unknown>[] {
    const logged = this.output.text.split('\n').filter((line) => line.startsWith('{') && line.endsWith('}'));
    return logged.map((line) => JSON.parse(line) as Record<string, unknown>);
  }

  /** Resolves with the line that has these fields. */
  line(fields: Record<string, unknown>): Promise<Record<string, unknown>> {
    const hasFields = (line: Record<string, unknown>) =>
      Object.entries(fields).every(([name, value]) => line[name] === value);
    return eventually(() => this.lines.find(hasFields) ?? Promise.reject(new Error(JSON.stringify(fields))), patience);
  }

  /** From 127.0.0.2, by the proxy on 127.0.0.1, with an address that the client has made up. */
  async post(path: string, token: string, body: object = {}): Promise<{ status: number; requestId: string }> {
    const headers = {
      authorization: `Bearer ${token}`,
      'content-type': 'application/json',
      'x-forwarded-for': forged,
    };
    return new Promise((resolve, reject) => {
      const sent = request(`${this.proxy.url}${path}`, { method: 'POST', headers, localAddress: '127.0.0.2' });
      sent.on('response', (answer) => {
        answer.resume();
        resolve({ status: answer.statusCode!, requestId: String(answer.headers['x-request-id']) });
      });
      sent.on('error', reject).end(JSON.stringify(body));
    });
  }

  /** @returns the socket, after it was admitted or refused */
  async handshake(token: string): Promise<RawSocket> {
    const raw = await RawSocket.open(this.proxy.url, { 'x-forwarded-for': forged });
    raw.send(`40${JSON.stringify({ token, deviceId: 'phone' })}`);
    await raw.hears((text) => /^4[024]/.test(text));
    return raw;
  }
}

describe.each([
  ['no proxy is trusted', '', '127.0.0.1', '127.0.0.1'],
  ['one proxy is trusted', '1', '127.0.0.2', '127.0.0.1'],
  ['the network of the proxy is trusted', '127.0.0.1/32', '127.0.0.2', forged],
  ['two proxies are trusted', '2', forged, forged],
])('when %s', (_, trustProxy, restAddress, socketAddress) => {
  let scene: Scene;

  beforeAll(async () => {
    scene = await Scene.start({ TRUST_PROXY: trustProxy });
  });

  afterAll(() => scene?.stop());

  it('a sign-in is a line', async () => {
    (await scene.handshake(await tokenFor('log-alice'))).close();
    const line = await scene.line({ msg: 'signed in', userId: 'log-alice' });
    expect(line).toMatchObject({ address: socketAddress, target: '/', deviceId: 'phone' });
    expect(line['requestId']).toMatch(/^.{8,}$/);
  });

  it('a refused handshake is a line, with the user where the signature is good', async () => {
    (await scene.handshake('forged')).close();
    const line = await scene.line({ msg: 'refused', code: 'UNAUTHENTICATED', target: '/' });
    expect(line).toMatchObject({ userId: null, address: socketAddress });
    (await scene.handshake(await tokenFor('log-late', { expiresInSeconds: -120 }))).close();
    expect(await scene.line({ msg: 'refused', code: 'TOKEN_EXPIRED' })).toMatchObject({ userId: 'log-late' });
  });

  it('a refused request and a revocation are lines', async () => {
    const bare = await scene.post('/v1/auth/revoke', 'forged', { sub: 'log-bob' });
    expect(await scene.line({ msg: 'refused', requestId: bare.requestId })).toMatchObject({
      code: 'UNAUTHENTICATED',
      address: restAddress,
      target: 'POST /v1/auth/revoke',
    });
    const plain = await scene.post('/v1/auth/revoke', await tokenFor('log-carol'), { sub: 'log-bob' });
    expect(plain.status).toBe(403);
    expect(await scene.line({ msg: 'refused', requestId: plain.requestId })).toMatchObject({
      code: 'FORBIDDEN',
      userId: 'log-carol',
      address: restAddress,
    });
    const admin = await tokenFor('log-admin', { claims: { scope: 'admin' } });
    const done = await scene.post('/v1/auth/revoke', admin, { sub: 'log-bob' });
    expect(done.status).toBe(204);
    expect(await scene.line({ msg: 'revoked', requestId: done.requestId })).toMatchObject({
      userId: 'log-admin',
      target: 'log-bob',
      address: restAddress,
    });
  });

  it('no line contains a token', () => {
    expect(JSON.stringify(scene.lines)).not.toMatch(/eyJ|"forged"/);
  });
});

it('the names of scopes are settings, and a mistyped setting gets a warning', async () => {
  const scene = await Scene.start({ ADMIN_SCOPE: 'chat-admin', RATE_MESSAGE_PER_SECOND: '5' });
  const revoke = async (scope: string) =>
    scene.post('/v1/auth/revoke', await tokenFor('scope-root', { claims: { scope } }), { sub: 'scope-bob' });
  expect([(await revoke('admin')).status, (await revoke('chat-admin')).status]).toEqual([403, 204]);
  await scene.line({
    level: 'warn',
    msg: 'RATE_MESSAGE_PER_SECOND: is not a setting; did you mean RATE_MESSAGES_PER_SECOND?',
  });
  await scene.stop();
});
