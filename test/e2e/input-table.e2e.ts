/** What is taken and what is refused, over both doors where both exist. */
import { randomUUID } from 'node:crypto';
import { request } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Message } from '../../src/common/index.js';
import { rest, tokenFor, type TestClient } from '../support/client.js';
import { TestCluster } from '../support/cluster.js';
import { directConversation } from '../support/conversations.js';
import { RawSocket } from '../support/raw-socket.js';

let cluster: TestCluster;
let alice: TestClient;
let conversationId: string;
let messageId: string;

beforeAll(async () => {
  cluster = await TestCluster.start({ redis: false });
  conversationId = await directConversation(cluster.url(), 'alice', 'bob');
  alice = await cluster.connect('alice', 0);
  messageId = (await alice.ask('send-message', { conversationId, content: { text: 'hello' } })).message.id;
});
afterAll(() => cluster?.stop());

type Row = [what: string, isTaken: boolean, type: string, content: Record<string, unknown>];

const media = (property: string, values: unknown[], isTaken: boolean, type = 'audio'): Row[] =>
  values.map((value) => [
    `${property} ${JSON.stringify(value)?.slice(0, 60)}`,
    isTaken,
    type,
    { url: 'https://x.example/a', [property]: value },
  ]);
const urls = (values: string[], isTaken: boolean): Row[] =>
  values.map((url) => [`url ${url.slice(0, 60)}`, isTaken, 'file', { url }]);
const places = (values: [unknown, unknown][], isTaken: boolean): Row[] =>
  values.map(([latitude, longitude]) => [
    `place ${String(latitude)} ${String(longitude)}`,
    isTaken,
    'location',
    { latitude, longitude },
  ]);
const numbers = (values: number[], isTaken: boolean): Row[] =>
  values.map((n) => [`number ${n}`, isTaken, 'image', { url: 'https://x.example/a', deep: { list: [n] } }]);

describe('content', () => {
  it.each<Row>([
    ...media(
      'mimeType',
      [
        'audio/webm',
        'audio/webm;codecs=opus',
        'audio/ogg; codecs=opus',
        'video/mp4; codecs="avc1.42E01E, mp4a.40.2"',
        'image/svg+xml',
        'application/vnd.openxmlformats-officedocument.wordprocessingml.document',
        'text/plain;charset=utf-8;format=flowed',
        'AUDIO/WEBM',
        'application/x-parley.custom',
        null,
      ],
      true,
    ),
    ...media('mimeType', ['audio', 'audio/', '/webm', 'a b/c', '', 7, 'audio/webm\n', 'ä/b', 'x'.repeat(300)], false),
    ...media('sizeBytes', [0, 1, 2 ** 53 - 1, null], true, 'file'),
    ...media('sizeBytes', [-1, 1.5, '7', 2 ** 53, 1e300, true], false, 'file'),
    ...media('width', [1, 10_000, null], true, 'image'),
    ...media('width', [0, -1, 0.5, '1'], false, 'image'),
    ...urls(
      [
        'https://x.example/a',
        'http://localhost:3000/a',
        'https://my_bucket.s3.example/a',
        'https://files/a',
        'https://x.example:8443/a?b=c&d=%20e#f',
        'https://münchen.example/ä',
        'http://[2001:db8::1]/a',
        'http://10.0.0.1/a',
        `https://x.example/${'a'.repeat(3_000)}`,
        `https://x.example/${'a'.repeat(8_170)}`,
      ],
      true,
    ),
    ...urls(
      [
        'ftp://x.example/a',
        'javascript:alert(1)',
        'x.example/a',
        'https://',
        'https://x y.example',
        '',
        'data:text/plain,a',
        `https://x.example/${'a'.repeat(8_200)}`,
      ],
      false,
    ),
    ...places(
      [
        [0, 0],
        [90, 180],
        [-90, -180],
        [5e-7, -2e-7],
        [1.301684883426969e-8, 5e-324],
        [48.137154, 11.576124],
        [-0, 0],
      ],
      true,
    ),
    ...places(
      [
        [90.0001, 0],
        [0, 180.0001],
        [-91, 0],
        [0, -181],
        ['48.1', '11.5'],
        [null, 0],
        [0, null],
        [true, 0],
        [1e300, 0],
      ],
      false,
    ),
    ...numbers([0, -0, 0.1, 5e-324, 1.5e-300, 2 ** 53 - 1, -(2 ** 53) + 1, 123_456.789], true),
    ...numbers([2 ** 53, -(2 ** 53), 1e16, 1e300, -1e300], false),
  ])('%s: taken is %s', async (_what, isTaken, type, content) => {
    const overRest = await rest<Message>(
      cluster.url(),
      'alice',
      'POST',
      `/v1/conversations/${conversationId}/messages`,
      { type, content },
    );
    const sent = { conversationId, type, content };
    if (isTaken) {
      expect(overRest.status).toBe(201);
      expect((await alice.ask('send-message', sent)).message.type).toBe(type);
    } else {
      expect([overRest.status, (overRest.body as unknown as { code: string }).code]).toEqual([
        400,
        'VALIDATION_FAILED',
      ]);
      expect((await alice.refused('send-message', sent)).code).toBe('VALIDATION_FAILED');
    }
  });
});

describe('an emoji', () => {
  it.each([
    ['👍', '👍'],
    ['👍\ufe0f', '👍'],
    ['❤', '❤\ufe0f'],
    ['❤\ufe0f', '❤\ufe0f'],
    ['☝🏾', '☝🏾'],
    ['☝\ufe0f🏾', '☝🏾'],
    ['🏳\u200d🌈', '🏳\ufe0f\u200d🌈'],
    ['🏳\ufe0f\u200d🌈', '🏳\ufe0f\u200d🌈'],
    ['1\u20e3', '1\ufe0f\u20e3'],
    ['1\ufe0f\u20e3', '1\ufe0f\u20e3'],
    ['🇩🇪', '🇩🇪'],
    ['👨\u200d👩\u200d👧', '👨\u200d👩\u200d👧'],
    ['🏴󠁧󠁢󠁥󠁮󠁧󠁿', '🏴󠁧󠁢󠁥󠁮󠁧󠁿'],
    ['🧑\u200d⚖', '🧑\u200d⚖\ufe0f'],
    ['©', '©\ufe0f'],
  ])('%s is taken, and stored as %s', async (given, stored) => {
    const { message } = await alice.ask('add-reaction', { messageId, emoji: given });
    expect(Object.keys(message.reactions)).toEqual([stored]);
    const path = `/v1/messages/${messageId}/reactions/${encodeURIComponent(given)}`;
    const removed = await rest<Message>(cluster.url(), 'alice', 'DELETE', path);
    expect([removed.status, removed.body.reactions]).toEqual([200, {}]);
  });

  it.each([
    'a',
    '1',
    '👍👍',
    '\ufe0f',
    '',
    '👍 ',
    '<3',
    '\u200d',
    '🏾\u200d',
    'é',
    `👍${'\ufe0f'.repeat(100)}`,
    7,
    null,
  ])('%j is none', async (emoji) => {
    expect((await alice.refused('add-reaction', { messageId, emoji })).code).toBe('VALIDATION_FAILED');
  });
});

describe('a UUID in upper case', () => {
  const upper = (id: string) => id.toUpperCase();

  it.each<[event: string, payload: () => unknown]>([
    ['join-conversation', () => ({ conversationId: upper(conversationId) })],
    ['join-conversation', () => upper(conversationId)],
    ['typing-start', () => ({ conversationId: upper(conversationId) })],
    ['get-typing-users', () => ({ conversationId: upper(conversationId) })],
    ['get-messages', () => ({ conversationId: upper(conversationId) })],
    ['get-message-status', () => ({ messageId: upper(messageId) })],
    ['mark-delivered', () => ({ conversationId: upper(conversationId), seq: 1 })],
    ['mark-read', () => ({ conversationId: upper(conversationId), messageIds: [upper(messageId)] })],
    ['mark-read', () => ({ conversationId: upper(conversationId), messageId: upper(messageId) })],
    ['edit-message', () => ({ messageId: upper(messageId), content: { text: 'hello again' } })],
    ['leave-conversation', () => ({ conversationId: upper(conversationId) })],
    ['send-message', () => ({ conversationId: upper(conversationId), content: { text: 'x' }, replyTo: upper(messageId) })], // prettier-ignore
  ])('names the same in %s', async (event, payload) => {
    const answer = JSON.stringify(await alice.ask(event, payload()));
    expect(answer).not.toMatch(/[0-9A-F]{8}-[0-9A-F]{4}-[0-9A-F]{4}/);
  });

  it.each([
    ['GET', () => `/v1/conversations/${upper(conversationId)}`],
    ['GET', () => `/v1/conversations/${upper(conversationId)}/messages`],
    ['GET', () => `/v1/conversations/${upper(conversationId)}/participants`],
    ['GET', () => `/v1/messages/${upper(messageId)}`],
    ['GET', () => `/v1/messages/${upper(messageId)}/status`],
    ['GET', () => `/v1/messages/${upper(messageId)}/revisions`],
    ['GET', () => `/v1/search/messages?q=hello&conversationId=${upper(conversationId)}`],
  ] as const)('names the same in %s', async (method, path) => {
    const { status, body } = await rest(cluster.url(), 'alice', method, path());
    expect(status).toBe(200);
    expect(JSON.stringify(body)).not.toMatch(/[0-9A-F]{8}-[0-9A-F]{4}-[0-9A-F]{4}/);
  });
});

/** A request whose bytes are given as they are. */
async function raw(method: string, path: string, body?: Buffer, contentType = 'application/json'): Promise<number> {
  const { hostname, port } = new URL(cluster.url());
  const token = await tokenFor('alice');
  return new Promise((resolve, reject) => {
    const headers = {
      authorization: `Bearer ${token}`,
      ...(body ? { 'content-type': contentType, 'content-length': body.length } : {}),
    };
    request({ hostname, port, method, path, headers }, (response) => {
      response.resume();
      resolve(response.statusCode!);
    })
      .on('error', reject)
      .end(body);
  });
}

describe('bytes over REST', () => {
  const bodyOf = (text: Buffer) => Buffer.concat([Buffer.from('{"content":{"text":"'), text, Buffer.from('"}}')]);

  it.each<[what: string, status: number, bytes: number[] | string, contentType?: string]>([
    ['UTF-8', 201, 'Grüße 👍'],
    ['UTF-8 that is declared', 201, 'Grüße', 'application/json; charset=utf-8'],
    ['UTF-8 that is declared in quotes', 201, 'Grüße', 'application/json; charset="UTF-8"'],
    ['Latin-1', 400, [0x47, 0x72, 0xfc]],
    ['Windows-1252 quotes', 400, [0x93, 0x78, 0x94]],
    ['CESU-8', 400, [0xed, 0xa0, 0xbd, 0xed, 0xb1, 0x8d]],
    ['an overlong form', 400, [0xc0, 0xaf]],
    ['a sequence that is cut', 400, [0xe2, 0x82]],
    ['a code point above Unicode', 400, [0xf5, 0x80, 0x80, 0x80]],
    ['another charset', 400, 'x', 'application/json; charset=iso-8859-1'],
    ['UTF-16', 400, 'x', 'application/json; charset=utf-16'],
    ['no JSON', 400, 'x', 'text/plain'],
  ])('%s: %i', async (_what, status, bytes, contentType) => {
    const path = `/v1/conversations/${conversationId}/messages`;
    const text = typeof bytes === 'string' ? Buffer.from(bytes) : Buffer.from(bytes);
    expect(await raw('POST', path, bodyOf(text), contentType)).toBe(status);
  });

  it.each<[status: number, path: string]>([
    [200, '/v1/search/messages?q=%C3%BC'],
    [400, '/v1/search/messages?q=%FC'],
    [400, '/v1/search/messages?q=%ED%A0%BD'],
    [400, '/v1/search/messages?q=%C0%AF'],
    [400, '/v1/me/contacts/%FC'],
    [400, '/v1/search/messages?q=a%00b'],
  ])('%i for %s', async (status, path) => {
    expect(await raw('GET', path)).toBe(status);
  });
});

it.each<[list: string]>([
  ['/v1/conversations'],
  ['/v1/me/devices'],
  ['/v1/me/contacts'],
  ['/v1/me/blocks'],
  ['/v1/search/messages?q=hello'],
])('%s takes no cursor that it has not made', async (list) => {
  const made = [
    '["\\u0000"]',
    '["\\ud800"]',
    '[1]',
    '["a"]',
    '[1,2]',
    '[1,"a"]',
    '[1,"a",3]',
    '[1,2,3]',
    '[null]',
    '[[1]]',
    '{}',
    '"a"',
    '1e999',
    '[1e999,"a",1]',
    '',
  ].map((text) => Buffer.from(text).toString('base64url'));
  const join = list.includes('?') ? '&' : '?';
  for (const cursor of [...made, '%00', '%F0%9F', 'x'.repeat(2_000), '!!!']) {
    const { status } = await rest(cluster.url(), 'alice', 'GET', `${list}${join}cursor=${cursor}`);
    // An empty parameter is left out; a name is a place in a list of names.
    const isPlace = cursor === made[3] && /devices|contacts|blocks/.test(list);
    expect([cursor, status]).toEqual([cursor, cursor === '' || isPlace ? 200 : 400]);
  }
});

it('a token of 15 KiB signs in over both doors, and one above MAX_TOKEN_BYTES is too large', async () => {
  const claims = (length: number) => ({ claims: { groups: 'x'.repeat(length) } });
  const big = await cluster.connect('big', 0, claims(9_000));
  await big.ask('heartbeat');
  const me = await rest(cluster.url(), 'big', 'GET', '/v1/me', undefined, claims(11_000));
  expect(me.status).toBe(200);
  const token = await tokenFor('big', claims(14_000));
  expect((await big.refused('refresh-token', { token })).code).toBe('PAYLOAD_TOO_LARGE');
  const refused = await rest(cluster.url(), 'big', 'GET', '/v1/me', undefined, claims(14_000));
  expect([refused.status, (refused.body as { code: string }).code]).toEqual([413, 'PAYLOAD_TOO_LARGE']);
});

it('an event behind a DISCONNECT in the same write is not carried out', async () => {
  const user = `gone-${randomUUID()}`;
  const id = await directConversation(cluster.url(), user, 'bob');
  const socket = await RawSocket.connect(cluster.url(), user);
  const event = `421["send-message",${JSON.stringify({ conversationId: id, content: { text: 'late' } })}]`;
  socket.socket.send('41');
  socket.socket.send(event);
  await new Promise((resolve) => setTimeout(resolve, 300));
  socket.socket.close();
  const { body } = await rest(cluster.url(), user, 'GET', `/v1/conversations/${id}/messages`);
  expect(body.items).toEqual([]);
});
