import { createHash, randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import { connect, type AddressInfo, type Socket as TcpSocket } from 'node:net';
import { Decoder, Encoder } from 'socket.io-parser';
import { Server, type ServerOptions, type Socket } from 'socket.io';
import { io } from 'socket.io-client';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { cutPacketFloods } from './packet-flood.js';
import { TransportEcho } from './transport-echo.js';
import { directReads } from './websocket-reads.js';
import { eventually } from '../../test/setup/patience.js';

const maxPacketBytes = 100_000;
const text = 0x1;
const binary = 0x2;
const ping = 0x9;

/** A frame as a client sends it. */
function frame(payload: string | Buffer, { opcode = text, isFinal = true, isMasked = true, rsv = 0 } = {}): Buffer {
  const body = Buffer.from(payload);
  const mask = isMasked ? randomBytes(4) : Buffer.alloc(0);
  const [short, longer] = lengthOf(body.length);
  const header = Buffer.from([(isFinal ? 0x80 : 0) | rsv | opcode, (isMasked ? 0x80 : 0) | short]);
  const masked = isMasked ? body.map((byte, i) => byte ^ mask[i % 4]!) : body;
  return Buffer.concat([header, longer, mask, masked]);
}

function lengthOf(length: number): [short: number, longer: Buffer] {
  if (length < 126) return [length, Buffer.alloc(0)];
  const longer = Buffer.alloc(8);
  longer.writeBigUInt64BE(BigInt(length));
  return length < 65_536 ? [126, longer.subarray(6)] : [127, longer];
}

function event(name: string, payload: unknown, id = ''): Buffer {
  return frame(`42${id}${JSON.stringify([name, payload])}`);
}

describe.each([true, false])('what clients send, DIRECT_READS=%s', (isDirect) => {
  const closing: (() => unknown)[] = [];

  afterEach(async () => {
    for (const close of closing.splice(0).reverse()) await close();
  });

  interface Site {
    server: Server;
    url: string;
    port: number;
    /** Of each event of `/`: its arguments, without the ack. */
    heard: unknown[][];
    /** Why connections of `/` ended. */
    ends: string[];
  }

  async function serve(options: Partial<ServerOptions> = {}): Promise<Site> {
    const http = createServer();
    const server = new Server(http, { perMessageDeflate: false, maxHttpBufferSize: 200_000, ...options });
    cutPacketFloods(server);
    TransportEcho.watch(server);
    const read = directReads(maxPacketBytes);
    const heard: unknown[][] = [];
    const ends: string[] = [];
    server.on('connection', (socket) => {
      if (isDirect) read(socket);
      socket.onAny((...args: unknown[]) => {
        const ack = typeof args.at(-1) === 'function' ? (args.pop() as (answer: unknown) => void) : null;
        heard.push(args);
        ack?.({ ok: true });
      });
      socket.on('disconnect', (reason) => ends.push(reason));
    });
    await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
    closing.push(() => server.close());
    const { port } = http.address() as AddressInfo;
    return { server, url: `http://127.0.0.1:${port}`, port, heard, ends };
  }

  /** A client that writes bytes as it likes, connected to `/`. */
  async function rawClient({ port }: Site): Promise<{ tcp: TcpSocket; received: () => string }> {
    const tcp = connect(port, '127.0.0.1').setNoDelay();
    closing.push(() => tcp.destroy());
    let received = '';
    tcp.on('data', (chunk: Buffer) => (received += chunk.toString('latin1')));
    tcp.on('error', () => undefined);
    const key = randomBytes(16).toString('base64');
    tcp.write(
      `GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
        `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${key}\r\n\r\n`,
    );
    const accept = createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
    await eventually(() => expect(received).toContain(accept));
    await eventually(() => expect(received).toContain('"sid"'));
    tcp.write(frame('40'));
    await eventually(() => expect(received).toContain('40{"sid"'));
    return { tcp, received: () => received };
  }

  it('is heard whole and in order, of any length and alphabet, and acked', async () => {
    const site = await serve();
    const client = io(site.url, { transports: ['websocket'], reconnection: false });
    closing.push(() => client.close());
    const texts = ['a', 'é', '😀'].flatMap((letter) =>
      [0, 1, 110, 120, 126, 4_000, 24_000].map((n) => letter.repeat(n)),
    );
    const answers = await Promise.all(texts.map((one) => client.emitWithAck('news', one) as Promise<unknown>));
    expect(answers).toEqual(texts.map(() => ({ ok: true })));
    expect(site.heard).toEqual(texts.map((one) => ['news', one]));
  });

  it('keeps its order through binary parts, longer frames and other namespaces', async () => {
    const site = await serve();
    site.server.of('/other').on('connection', (socket) => socket.onAny((...args: unknown[]) => site.heard.push(args)));
    const { tcp } = await rawClient(site);
    tcp.write(frame('40/other,'));
    await eventually(() => expect(site.server.of('/other').sockets.size).toBe(1));
    tcp.write(
      Buffer.concat([
        event('n', 1),
        frame('451-["n",{"_placeholder":true,"num":0}]'),
        frame(Buffer.from([1, 2]), { opcode: binary }),
        event('n', 2),
        frame('42/other,["n","other"]'),
        event('n', 'x'.repeat(70_000)),
        event('n', 3, '7'),
      ]),
    );
    await eventually(() => expect(site.heard).toHaveLength(6));
    const short = site.heard.map(([, payload]) => (Buffer.isBuffer(payload) ? 'binary' : payload));
    expect(short).toEqual([1, 'binary', 2, 'other', 'x'.repeat(70_000), 3]);
  });

  it('may be cut anywhere, by the network and by the client', async () => {
    const site = await serve();
    const { tcp, received } = await rawClient(site);
    const bytes = Buffer.concat([event('n', 'é'.repeat(100), '12'), event('n', 2), frame('', { opcode: ping })]);
    for (const byte of bytes) {
      tcp.write(Buffer.from([byte]));
      await new Promise((resolve) => setImmediate(resolve));
    }
    tcp.write(Buffer.concat([frame('42["n",', { isFinal: false }), frame('3]', { opcode: 0 }), event('n', 4)]));
    const [first, second] = [event('n', 5), event('n', 6)];
    tcp.write(Buffer.concat([first, second.subarray(0, 9)]));
    await eventually(() => expect(site.heard).toHaveLength(5));
    tcp.write(second.subarray(9));
    await eventually(() => expect(site.heard).toHaveLength(6));
    expect(site.heard.map(([, payload]) => payload)).toEqual(['é'.repeat(100), 2, 3, 4, 5, 6]);
    expect(received()).toContain('4312[{"ok":true}]');
  });

  it.each([
    ['an unmasked frame', frame('42["n",2]', { isMasked: false })],
    ['a reserved bit', frame('42["n",2]', { rsv: 0x20 })],
    ['text that is no UTF-8', frame(Buffer.from('42["n","\xff"]', 'latin1'))],
    ['a frame above the limit', frame(`42["n","${'x'.repeat(200_001)}"]`)],
    ['no JSON', frame('42["n",')],
    ['JSON that is no list', frame('42{"n":1}')],
    ['a reserved name', event('disconnect', 2)],
    ['an unknown packet', frame('49["n",2]')],
    [
      'text where a binary part is due',
      Buffer.concat([frame('451-["n",{"_placeholder":true,"num":0}]'), event('n', 2)]),
    ],
  ])('ends the connection after %s, and not before', async (_, bytes) => {
    const site = await serve();
    const { tcp } = await rawClient(site);
    tcp.write(Buffer.concat([event('n', 1), bytes, event('n', 3)]));
    await eventually(() => expect(site.ends).toHaveLength(1));
    expect(site.heard.filter(([, payload]) => payload !== 1)).toEqual([]);
  });

  it('is heard after an upgrade from polling, and compressed', async () => {
    const site = await serve({ perMessageDeflate: { threshold: 0 } });
    const client = io(site.url, { transports: ['polling', 'websocket'], reconnection: false });
    closing.push(() => client.close());
    let count = 0;
    await vi.waitUntil(
      () => {
        client.emit('n', count++);
        return client.io.engine?.transport.name === 'websocket';
      },
      { interval: 1 },
    );
    for (const end = count + 20; count < end;) client.emit('n', count++);
    await eventually(() => expect(site.heard).toHaveLength(count));
    expect(site.heard.map(([, payload]) => payload)).toEqual(Array.from({ length: count }, (_, i) => i));
  });

  it('moves the time-out of a ping once, where no pong comes', async () => {
    const site = await serve({ pingInterval: 500, pingTimeout: 1_000 });
    const { tcp } = await rawClient(site);
    const sending = setInterval(() => tcp.write(event('n', 1)), 5);
    closing.push(() => clearInterval(sending));
    // Engine.IO waits anew once, after the first packet since its ping.
    await eventually(() => expect(site.ends).toEqual(['ping timeout']), { timeout: 5_000, interval: 5 });
    clearInterval(sending);
    expect(site.heard.length).toBeGreaterThan(5);
  });

  it('comes by the plain way as soon as somebody else listens, or it is too large', async () => {
    let decoded = 0;
    class CountingDecoder extends Decoder {
      override add(data: unknown): void {
        decoded += 1;
        super.add(data);
      }
    }
    const site = await serve({ parser: { Encoder, Decoder: CountingDecoder } });
    const { tcp } = await rawClient(site);
    const before = decoded;
    tcp.write(event('n', 1));
    await eventually(() => expect(site.heard).toHaveLength(1));
    expect(decoded - before).toBe(isDirect ? 0 : 1);
    tcp.write(event('n', 'x'.repeat(maxPacketBytes / 3)));
    await eventually(() => expect(site.heard).toHaveLength(2));
    expect(decoded - before).toBe(isDirect ? 1 : 2);

    const packets: unknown[] = [];
    const [socket] = site.server.sockets.sockets.values() as IterableIterator<Socket>;
    socket!.conn.on('packet', ({ type }: { type: string }) => packets.push(type));
    tcp.write(event('n', 3));
    await eventually(() => expect(site.heard).toHaveLength(3));
    expect(packets).toEqual(['message']);
  });
});
