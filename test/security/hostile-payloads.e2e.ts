import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { GatewayAudit } from '../../src/realtime/index.js';
import { TestCluster } from '../support/cluster.js';
import { directConversation } from '../support/conversations.js';
import { RawSocket } from '../support/raw-socket.js';
import type { TestClient } from '../support/client.js';

const nested = (levels: number) => `${'{"a":'.repeat(levels)}1${'}'.repeat(levels)}`;
const secret = 'echo-me-4711';

let cluster: TestCluster;
let conversationId: string;
let witness: TestClient;
let raw: RawSocket;

beforeAll(async () => {
  cluster = await TestCluster.start({ redis: false });
  conversationId = await directConversation(cluster.url(), 'mallory', 'witness');
  witness = await cluster.connect('witness');
});

afterAll(() => cluster?.stop());

beforeEach(async () => {
  raw = await RawSocket.connect(cluster.url(), 'mallory');
  return async () => {
    raw.close();
    // Whatever was sent, the process lives and others are served.
    await witness.ask('heartbeat');
    expect(witness.of('new-message')).toEqual([]);
  };
});

describe('a packet that decodes is answered', () => {
  const send = (content: string) => `["send-message",{"conversationId":"${'x'}","content":${content}}]`;

  it.each([
    ['nested 33 deep', `["send-message",${nested(33)}]`, 'VALIDATION_FAILED'],
    ['nested 5,000 deep', `["send-message",${nested(5_000)}]`, 'VALIDATION_FAILED'],
    ['with a NUL', send('{"text":"a\\u0000b"}'), 'VALIDATION_FAILED'],
    ['with a lone surrogate', send('{"text":"a\\ud800b"}'), 'VALIDATION_FAILED'],
    ['with a lone surrogate for a name', send('{"\\udc00":"a"}'), 'VALIDATION_FAILED'],
    ['with __proto__', send(`{"__proto__":{"isAdmin":true},"text":"${secret}"}`), 'VALIDATION_FAILED'],
    ['with constructor', send('{"constructor":{"prototype":{"isAdmin":true}}}'), 'VALIDATION_FAILED'],
    [
      'with 10,000 keys',
      `["send-message",{${Array.from({ length: 10_000 }, (_, i) => `"k${i}":1`).join()}}]`,
      'VALIDATION_FAILED',
    ],
    ['with 40,000 elements', `["get-presence",[${'1,'.repeat(39_999)}1]]`, 'VALIDATION_FAILED'],
    ['without a payload', '["send-message"]', 'VALIDATION_FAILED'],
    ['with null for a payload', '["send-message",null]', 'VALIDATION_FAILED'],
    ['with a number for a payload', '["send-message",7]', 'VALIDATION_FAILED'],
    ['with an array for a payload', '["send-message",[[]]]', 'VALIDATION_FAILED'],
    ['with two payloads', '["send-message",{},{}]', 'VALIDATION_FAILED'],
    ['with something else where the ack should be', `["heartbeat",{},"${secret}"]`, 'VALIDATION_FAILED'],
    ['above 128 KiB', `["send-message",{"content":{"text":"${'x'.repeat(140_000)}"}}]`, 'PAYLOAD_TOO_LARGE'],
    ['of an unknown event', `["no-such-event",{"text":"${secret}"}]`, 'UNKNOWN_EVENT'],
    ['named error', '["error",{}]', 'UNKNOWN_EVENT'],
    ['named constructor', '["constructor",{}]', 'UNKNOWN_EVENT'],
    ['named __proto__', '["__proto__",{}]', 'UNKNOWN_EVENT'],
    ['named by a number', '[7,{}]', 'UNKNOWN_EVENT'],
    ['with an empty name', '["",{}]', 'UNKNOWN_EVENT'],
  ])('%s', async (_what, packet, code) => {
    raw.send(`421${packet}`);
    const answer = await raw.answer(1);
    expect(answer).toMatchObject({ ok: false, error: { code } });
    raw.send('422["heartbeat"]');
    expect((await raw.answer(2)).ok).toBe(true);
    expect(raw.heard.filter((text) => text.startsWith('431['))).toHaveLength(1);
    expect(raw.heard.join()).not.toContain(secret);
  });

  it('by an error event, where it asked for no answer', async () => {
    raw.send(`42["no-such-event",{"text":"${secret}"}]`);
    const text = await raw.hears((one) => one.startsWith('42["error"'));
    expect(JSON.parse(text.slice(2))[1]).toMatchObject({ code: 'UNKNOWN_EVENT', retryable: false });
    expect(raw.heard.join()).not.toContain(secret);
  });

  it('with binary attachments', async () => {
    raw.send(`451-1["send-message",{"conversationId":"${conversationId}","content":{"_placeholder":true,"num":0}}]`);
    raw.send(Buffer.from('binary'));
    expect(await raw.answer(1)).toMatchObject({ ok: false, error: { code: 'VALIDATION_FAILED' } });
  });
});

describe('a packet that does not decode closes its connection only', () => {
  it.each([
    ['a reserved event name', '421["disconnect",{}]'],
    ['another reserved event name', '421["connect_error"]'],
    ['no JSON', '421["send-message",{'],
    ['no array', '421{"a":1}'],
    ['an unknown packet type', '49["x"]'],
    ['an unknown transport packet', 'xyz'],
    ['a number of attachments without end', '45999999999999-["send-message",{}]'],
    ['an attachment that never comes', '451-["send-message",{"_placeholder":true,"num":0}]', '42["heartbeat"]'],
    ['a placeholder without its attachment', '451-["send-message",{"_placeholder":true,"num":5}]', Buffer.from('x')],
    ['an attachment nobody announced', Buffer.from('binary')],
    ['more than 256 KiB', `42["send-message","${'x'.repeat(300_000)}"]`],
    ['a server’s ping', '2'],
  ] as [string, ...(string | Buffer)[]][])('%s', async (_what, ...packets) => {
    for (const packet of packets) raw.send(packet);
    await raw.closes();
  });
});

it('every event of every gateway is guarded, and answers garbage with a code', async () => {
  const events = cluster.nodes[0]!.app!.get(GatewayAudit).events();
  expect(events.length).toBeGreaterThan(5);
  const garbage = [
    undefined,
    null,
    0,
    '',
    'x',
    true,
    [],
    {},
    [null],
    { a: 1 },
    { conversationId: {} },
    { userIds: 'x' },
    [[]],
  ];
  const mallory = await cluster.connect('mallory');
  for (const { event } of events) {
    for (const payload of garbage) {
      const args = payload === undefined ? [] : [payload];
      const ack = (await mallory.socket.timeout(4_000).emitWithAck(event, ...args)) as {
        ok: boolean;
        error?: { code: string; event: string; requestId: string };
      };
      if (ack.ok) continue;
      const told = `${event} ${JSON.stringify(payload)}`;
      expect(['VALIDATION_FAILED', 'NOT_FOUND', 'UNAUTHENTICATED', 'FORBIDDEN'], told).toContain(ack.error!.code);
      expect(ack.error!.event, told).toBe(event);
      expect(ack.error!.requestId.length, told).toBeGreaterThan(8);
    }
  }
});
