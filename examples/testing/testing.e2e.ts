/**
 * How a team tests its extensions: with nothing but the two public faces, `parley` and
 * `parley/testing`.
 */
import { io, type Socket } from 'socket.io-client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Clock, JwtAuthenticator, PresencePolicy, TypingPolicy } from '../../src/index.js';
import {
  accessPolicyContract,
  authenticatorContract,
  messageTypeContract,
  offlineNotifierContract,
  presencePolicyContract,
  TestApp,
  TestClock,
  TestServices,
  typingPolicyContract,
} from '../../src/testing/index.js';
import { PollMessageType } from '../embedded/poll.message-type.js';
import { OnceNotifier } from './once.notifier.js';
import { QuietHoursPolicy } from './quiet-hours.policy.js';
import { SessionAuthenticator } from './session.authenticator.js';
import { TeamPresencePolicy } from './team.presence-policy.js';

describe('QuietHoursPolicy', () => {
  it.each(accessPolicyContract)('$name', ({ check }) => check({ policy: new QuietHoursPolicy(new TestClock()) }));
});

describe('SessionAuthenticator', () => {
  it.each(authenticatorContract)('$name', async ({ check }) => {
    const clock = new TestClock();
    const authenticator = new SessionAuthenticator(clock);
    authenticator.sessions.set('session-1', { userId: 'alice', endsAtMs: clock.now() + 60_000 });
    authenticator.sessions.set('session-0', { userId: 'alice', endsAtMs: clock.now() - 1 });
    await check({ authenticator, token: 'session-1', userId: 'alice', badTokens: ['session-0'] });
  });
});

describe('TeamPresencePolicy', () => {
  it.each(presencePolicyContract)('$name', ({ check }) =>
    check({ policy: new TeamPresencePolicy(), userIds: ['red-1', 'red-2', 'blue-1'], unknownId: 'green-1' }),
  );
});

describe('PollMessageType', () => {
  it.each(messageTypeContract)('$name', ({ check }) =>
    check({
      type: new PollMessageType(),
      good: [{ question: 'Lunch?', options: ['yes', 'no'] }],
      bad: [{}, { question: 'Lunch?' }, { question: 7, options: ['yes', 'no'] }],
    }),
  );
});

describe('OnceNotifier', () => {
  it.each(offlineNotifierContract)('$name', async ({ check }) => {
    const notifier = new OnceNotifier();
    await check({ notifier, sent: () => notifier.pushed.length, userId: 'alice' });
  });
});

describe('a server in a test', () => {
  let services: TestServices;
  let app: TestApp;
  const sockets: Socket[] = [];

  beforeAll(async () => {
    services = await TestServices.start();
    app = await TestApp.start(services, { nodes: 2, extensions: { accessPolicy: QuietHoursPolicy } });
  });

  afterAll(async () => {
    for (const socket of sockets) socket.disconnect();
    await app?.stop();
    await services?.stop();
  });

  async function connect(userId: string, node: number): Promise<Socket> {
    const auth = { token: await app.token(userId) };
    const socket = io(app.urls[node], { transports: ['websocket'], forceNew: true, auth });
    sockets.push(socket);
    await new Promise((resolve) => socket.once('session-ready', resolve));
    return socket;
  }

  async function groupOf(userId: string, participantIds: string[]): Promise<string> {
    const answer = await fetch(`${app.url}/v1/conversations`, {
      method: 'POST',
      headers: { authorization: `Bearer ${await app.token(userId)}`, 'content-type': 'application/json' },
      body: JSON.stringify({ kind: 'group', participantIds }),
    });
    return ((await answer.json()) as { id: string }).id;
  }

  it('keeps quiet hours by the test’s clock, on real sockets and two nodes', async () => {
    app.clock.stop(Date.UTC(2030, 0, 1, 21, 59));
    const conversationId = await groupOf('alice', ['bob']);
    const [alice, bob] = [await connect('alice', 0), await connect('bob', 1)];
    const heard = new Promise((resolve) => alice.once('new-message', resolve));
    const send = () => bob.emitWithAck('send-message', { conversationId, content: { text: 'still up?' } });
    expect(await send()).toMatchObject({ ok: true });
    expect(await heard).toMatchObject({ senderId: 'bob', content: { text: 'still up?' } });
    app.clock.advance(60_000);
    expect(await send()).toMatchObject({ ok: false, error: { code: 'ACME_QUIET_HOURS' } });
  });

  it('lets tokens expire by the test’s clock', async () => {
    const token = await app.token('carol', { expiresInSeconds: 60 });
    const me = async () => (await fetch(`${app.url}/v1/me`, { headers: { authorization: `Bearer ${token}` } })).status;
    expect(await me()).toBe(200);
    app.clock.advance(120_000);
    expect(await me()).toBe(401);
  });

  it('has the defaults of the seams, which keep their contracts', async () => {
    const [node] = app.nodes as [(typeof app.nodes)[0]];
    expect(node.get(Clock)).toBe(app.clock);
    const userIds = ['alice', 'bob', 'carol'];
    const presencePolicy = node.get(PresencePolicy, { strict: false });
    for (const { check } of presencePolicyContract)
      await check({ policy: presencePolicy, userIds, unknownId: 'nobody' });
    const typingPolicy = node.get(TypingPolicy, { strict: false });
    for (const { check } of typingPolicyContract) await check({ policy: typingPolicy, userIds });
    const authenticator = new JwtAuthenticator(app.settings, app.clock);
    const token = await app.token('alice');
    for (const { check } of authenticatorContract) await check({ authenticator, token, userId: 'alice' });
  });
});
