import type { NestExpressApplication } from '@nestjs/platform-express';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createDatabase, startRedis, type TestDatabase, type TestRedis } from '../../test/setup/services.js';
import { connect, rest, testSecret, type TestClient } from '../../test/support/client.js';
import { directConversation } from '../../test/support/conversations.js';
import { createShop } from './shop.app.js';

describe('an application with Parley inside', () => {
  let database: TestDatabase;
  let redis: TestRedis;
  const apps: NestExpressApplication[] = [];
  const urls: string[] = [];
  let alice: TestClient;
  let bob: TestClient;
  let conversationId: string;

  // Two nodes, as the host would run it.
  beforeAll(async () => {
    [database, redis] = await Promise.all([createDatabase(), startRedis()]);
    for (let i = 0; i < 2; i++) {
      const app = await createShop({
        databaseUrl: database.url,
        redisUrl: redis.url,
        jwtSecret: testSecret,
        logLevel: 'error',
        drainJitterMs: 0,
      });
      await app.listen(0, '127.0.0.1');
      apps.push(app);
      urls.push(await app.getUrl());
    }
    conversationId = await directConversation(urls[0]!, 'alice', 'bob');
    alice = await connect(urls[0]!, 'alice');
    bob = await connect(urls[1]!, 'bob');
  });

  afterAll(async () => {
    alice?.close();
    bob?.close();
    await Promise.all(apps.map((app) => app.close()));
    await redis?.stop();
    await database?.drop();
  });

  it('stores and delivers what its interceptor made of the text', async () => {
    const text = 'my card is 4111 1111 1111 1111, thanks';
    const { message } = await alice.ask('send-message', { conversationId, content: { text } });
    expect(message.content).toEqual({ text: 'my card is **** 1111, thanks' });
    const heard = await bob.waitFor('new-message', ({ id }) => id === message.id);
    expect(heard.content).toEqual(message.content);
    const history = await bob.ask('get-messages', { conversationId });
    expect(JSON.stringify(history.messages)).not.toContain('4111');
  });

  it('sends a message of its own type, and refuses a bad one', async () => {
    const poll = { conversationId, type: 'acme.poll', content: { question: 'Lunch?', options: ['yes', 'no'] } };
    const { message } = await alice.ask('send-message', poll);
    await bob.waitFor('new-message', ({ id, type }) => id === message.id && type === 'acme.poll');
    const bad = { ...poll, content: { question: 'Lunch?', options: ['yes'] } };
    expect(await alice.refused('send-message', bad)).toMatchObject({
      code: 'VALIDATION_FAILED',
      details: [{ path: 'content.options' }],
    });
  });

  it('answers its own event in the envelope, shows the result to the other node, and uses its own code', async () => {
    const content = { question: 'Tea?', options: ['yes', 'no'] };
    const { message } = await alice.ask('send-message', { conversationId, type: 'acme.poll', content });
    const vote = { conversationId, pollId: message.id, option: 0 };
    expect(await alice.ask('acme-vote', vote)).toEqual({ pollId: message.id, votes: { 0: 1 } });
    await bob.waitFor('acme-poll-changed', ({ pollId }) => pollId === message.id);
    expect(await alice.refused('acme-vote', vote)).toMatchObject({ code: 'ACME_ALREADY_VOTED', event: 'acme-vote' });
    expect(await alice.refused('acme-vote', { ...vote, option: 'tea' })).toMatchObject({ code: 'VALIDATION_FAILED' });
  });

  it('tells a stranger to the conversation that there is none', async () => {
    const mallory = await connect(urls[0]!, 'mallory');
    const vote = { conversationId, pollId: conversationId, option: 0 };
    expect(await mallory.refused('acme-vote', vote)).toMatchObject({ code: 'NOT_FOUND' });
    mallory.close();
  });

  it('closes its routes to callers without a token, except public ones', async () => {
    const closed = await fetch(`${urls[0]}/shop/basket`);
    expect(closed.status).toBe(401);
    expect(closed.headers.get('content-type')).toContain('application/problem+json');
    expect((await fetch(`${urls[0]}/shop/opening-hours`)).status).toBe(200);
    const { body } = await rest(urls[0]!, 'alice', 'GET', '/shop/basket');
    expect(body).toEqual({ owner: 'alice', items: [] });
  });
});
