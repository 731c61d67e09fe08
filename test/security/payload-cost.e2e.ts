import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ErrorBody } from '../../src/common/index.js';
import { GatewayAudit } from '../../src/realtime/index.js';
import { rest, type TestClient } from '../support/client.js';
import { TestCluster } from '../support/cluster.js';
import { directConversation } from '../support/conversations.js';

const maxDetails = 20;
const keys = (count: number, value: unknown = 1) =>
  Object.fromEntries(Array.from({ length: count }, (_, i) => [`k${i}`, value]));
const bytesOf = (value: unknown) => Buffer.byteLength(JSON.stringify(value));

let cluster: TestCluster;
let conversationId: string;
let mallory: TestClient;

beforeAll(async () => {
  cluster = await TestCluster.start({ redis: false });
  conversationId = await directConversation(cluster.url(), 'mallory', 'witness');
  mallory = await cluster.connect('mallory');
});

afterAll(() => cluster?.stop());

/** The refusal of a body, as far as both doors have it in common. */
async function refusedBody(method: string, path: string, body: unknown): Promise<ErrorBody> {
  const answer = await rest<ErrorBody>(cluster.url(), 'mallory', method, path, body);
  expect(answer.status).toBe(400);
  return answer.body;
}

describe('many keys', () => {
  it('unknown to the class are refused in one line, whatever the event', async () => {
    for (const { event } of cluster.nodes[0]!.app!.get(GatewayAudit).events()) {
      const { code, details } = await mallory.refused(event, keys(9_990));
      expect([code, details], event).toEqual([
        'VALIDATION_FAILED',
        [{ path: '', message: 'more than 1000 properties' }],
      ]);
    }
  });

  it.each([
    ['POST', () => '/v1/conversations', (value: object) => value],
    ['POST', () => `/v1/conversations/${conversationId}/read`, (value: object) => value],
    ['POST', () => `/v1/conversations/${conversationId}/messages`, (value: object) => ({ content: { a: value } })],
    ['PATCH', () => '/v1/me', (value: object) => ({ privacy: value })],
    ['DELETE', () => '/v1/me/contacts/somebody', (value: object) => value],
  ])('are refused in one line over REST, at whatever level they stand: %s', async (method, path, within) => {
    const { code, details } = await refusedBody(method, path(), within(keys(9_990)));
    expect([code, details!.length]).toEqual(['VALIDATION_FAILED', 1]);
  });

  it('below that limit are answered with the first twenty', async () => {
    for (const refusal of [
      await mallory.refused('mark-read', { conversationId, seq: 'x', ...keys(900) }),
      await refusedBody('POST', `/v1/conversations/${conversationId}/read`, { seq: 'x', ...keys(900) }),
      await refusedBody('PATCH', '/v1/me', { privacy: keys(900) }),
      await refusedBody('PATCH', '/v1/me', { privacy: Array.from({ length: 900 }, () => ({ a: 1 })) }),
    ]) {
      expect(refusal).toMatchObject({ code: 'VALIDATION_FAILED' });
      expect(refusal.details!.length).toBeLessThanOrEqual(maxDetails);
      expect(bytesOf(refusal)).toBeLessThan(8_192);
    }
    const query = new URLSearchParams(keys(900) as Record<string, string>);
    const answer = await rest<ErrorBody>(cluster.url(), 'mallory', 'GET', `/v1/conversations?${query.toString()}`);
    expect([answer.status, answer.body.details!.length]).toEqual([400, maxDetails]);
  });

  it('with long names are not sent back whole', async () => {
    const refusal = await mallory.refused('heartbeat', { ['x'.repeat(100_000)]: 1 });
    expect(refusal.details![0]!.path).toHaveLength(200);
    const harmful = await mallory.refused('heartbeat', { ['x'.repeat(100_000)]: '\u0000' });
    expect(harmful.details![0]!.path).toHaveLength(200);
  });
});

describe('a content', () => {
  const media = (more: object) => ({ url: 'https://files.example.com/a', ...more });
  const send = (content: object) => ({ conversationId, type: 'image', content });

  it('may have MAX_CONTENT_KEYS keys on all levels, and not one more', async () => {
    const wave = { a: keys(497), b: [keys(500)], samples: Array.from({ length: 3_000 }, () => 1) };
    const full = media({ wave: { ...wave, c: undefined } });
    const { message } = await mallory.ask('send-message', send({ ...full, wave: { a: keys(495), b: [keys(500)] } }));
    expect(Object.keys(message.content.wave.b[0])).toHaveLength(500);
    for (const refusal of [
      await mallory.refused('send-message', send(full)),
      await refusedBody('POST', `/v1/conversations/${conversationId}/messages`, { type: 'image', content: full }),
      await mallory.refused('edit-message', { messageId: message.id, content: full }),
      await refusedBody('PATCH', `/v1/messages/${message.id}`, { content: full }),
    ]) {
      expect(refusal).toMatchObject({
        code: 'VALIDATION_FAILED',
        details: [{ path: 'content', message: 'at most 1000 properties on all levels' }],
      });
    }
  });

  it('may have as many as the setting says, over both doors', async () => {
    const node = await cluster.addNode({ maxContentKeys: 1_500 });
    const post = (count: number) =>
      rest(node.url, 'mallory', 'POST', `/v1/conversations/${conversationId}/messages`, {
        type: 'image',
        content: media(keys(count)),
      });
    expect((await post(1_499)).status).toBe(201);
    expect((await post(1_500)).status).toBe(400);
  });
});

describe('a list or a text above its limit', () => {
  it.each([
    ['emails', () => ({ name: 'x', emails: Array.from({ length: 3_000 }, () => 'a@example.com') })],
    ['phones', () => ({ name: 'x', phones: Array.from({ length: 9_000 }, () => 1) })],
    ['userId', () => ({ name: 'x', userId: '😀'.repeat(15_000) })],
  ])('is refused for its length alone: %s', async (property, content) => {
    const { details } = await mallory.refused('send-message', { conversationId, type: 'contact', content: content() });
    expect(new Set(details!.map(({ path }) => path))).toEqual(new Set([`content.${property}`]));
    for (const { message } of details!) expect(message).toMatch(/no more|shorter/);
  });
});
