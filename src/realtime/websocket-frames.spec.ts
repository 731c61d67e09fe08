import { createServer, type Server as HttpServer } from 'node:http';
import type { AddressInfo, Socket as TcpSocket } from 'node:net';
import { Server, type ServerOptions } from 'socket.io';
import { io, type ManagerOptions, type Socket } from 'socket.io-client';
import { afterEach, describe, expect, it } from 'vitest';
import { CoalescedWrites } from './coalesced-writes.js';
import { textFrameOf } from './websocket-frames.js';

const lengths = [0, 1, 110, 125, 126, 127, 4_000, 65_530, 65_536, 70_000];

interface Engine {
  write(packet: string, options: object, sent?: () => void): void;
  on(event: 'drain', listener: () => void): void;
  removeAllListeners(event: 'drain'): void;
  sendPacket(type: 'ping'): void;
  transport: { name: string; socket: { _socket: TcpSocket } };
}

describe.each([true, false])('packets of one turn, COALESCE_WRITES=%s', (isCoalesced) => {
  const closing: (() => void)[] = [];

  afterEach(() => {
    for (const close of closing.splice(0)) close();
  });

  async function connect(
    serverOptions: Partial<ServerOptions> = {},
    clientOptions: Partial<ManagerOptions> = { transports: ['websocket'] },
  ): Promise<{ server: Server; client: Socket; engine: Engine; heard: unknown[] }> {
    const http: HttpServer = createServer();
    const server = new Server(http, { perMessageDeflate: false, maxHttpBufferSize: 10_000_000, ...serverOptions });
    if (isCoalesced) new CoalescedWrites(server);
    await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
    const client = io(`http://127.0.0.1:${(http.address() as AddressInfo).port}`, {
      forceNew: true,
      reconnection: false,
      ...clientOptions,
    });
    closing.push(
      () => client.disconnect(),
      () => void server.close(),
    );
    const heard: unknown[] = [];
    client.on('news', (news: unknown) => heard.push(news));
    const [socket] = await Promise.all([
      new Promise<{ conn: unknown }>((resolve) => server.on('connection', resolve)),
      new Promise<void>((resolve) => client.on('connect', resolve)),
    ]);
    return { server, client, engine: socket.conn as Engine, heard };
  }

  /** What the client has heard when it hears of the end, which comes after everything else. */
  async function heardAtEnd(server: Server, client: Socket, heard: unknown[]): Promise<unknown[]> {
    const ended = new Promise<void>((resolve) => client.on('end', resolve));
    server.emit('end');
    await ended;
    return heard;
  }

  it.each([
    ['ASCII', 'a'],
    ['two bytes a character', 'é'],
    ['surrogate pairs', '😀'],
  ])('arrive whole and in order, of any length: %s', async (_, letter) => {
    const { server, client, heard } = await connect();
    const news = lengths.map((length) => letter.repeat(length));
    for (const one of news) server.emit('news', one);
    expect(await heardAtEnd(server, client, heard)).toEqual(news);
  });

  it('keep their order among texts, binary parts and frames made beforehand', async () => {
    const { server, client, engine, heard } = await connect();
    const frame = textFrameOf('42["news","framed é"]');
    server.emit('news', 'first');
    engine.write('2["news","framed é"]', { preEncoded: true, wsPreEncodedFrame: [frame] });
    server.emit('news', Buffer.from([1, 2]));
    engine.write('2["news","framed é"]', {
      preEncoded: true,
      wsPreEncodedFrame: [frame.subarray(0, 2), frame.subarray(2)],
    });
    server.emit('news', 'last');
    expect(await heardAtEnd(server, client, heard)).toEqual([
      'first',
      'framed é',
      expect.objectContaining({ byteLength: 2 }) as unknown,
      'framed é',
      'last',
    ]);
  });

  it('arrive whole at each member of a group, whatever else he gets in that turn', async () => {
    const members = await Promise.all([connect(), connect(), connect()]);
    const texts = ['framed é', 'framed ü', 'framed é'];
    const frames = texts.map((text) => [textFrameOf(`42["news","${text}"]`)]);
    members.forEach(({ engine, server }, i) => {
      if (i === 1) server.emit('news', 'his own');
      texts.forEach((text, j) => {
        engine.write(`2["news","${text}"]`, { preEncoded: true, wsPreEncodedFrame: frames[j]! });
      });
      if (i === 2) engine.write('2["news","framed é"]', { preEncoded: true, wsPreEncodedFrame: frames[0]! });
    });
    const heard = await Promise.all(members.map((member) => heardAtEnd(member.server, member.client, member.heard)));
    expect(heard).toEqual([texts, ['his own', ...texts], [...texts, 'framed é']]);
  });

  it('are pinged in their order', async () => {
    const { server, client, engine, heard } = await connect();
    const packets: unknown[] = [];
    client.io.engine.on('packet', ({ type, data }) => packets.push(type === 'ping' ? type : data));
    server.emit('news', 'before');
    engine.sendPacket('ping');
    server.emit('news', 'after');
    engine.sendPacket('ping');
    await heardAtEnd(server, client, heard);
    expect(packets).toEqual(['2["news","before"]', 'ping', '2["news","after"]', 'ping', '2["end"]']);
  });

  it('arrive before and after an upgrade from polling', async () => {
    const { server, client, engine, heard } = await connect({}, { transports: ['polling', 'websocket'] });
    let sent = 0;
    while (engine.transport.name !== 'websocket') {
      server.emit('news', sent++);
      await new Promise((resolve) => setImmediate(resolve));
    }
    for (const end = sent + 20; sent < end;) server.emit('news', sent++);
    expect(await heardAtEnd(server, client, heard)).toEqual(Array.from({ length: sent }, (_, i) => i));
  });

  it('arrive compressed when both sides compress', async () => {
    const { server, client, heard } = await connect({ perMessageDeflate: { threshold: 0 } });
    const news = lengths.map((length) => 'a'.repeat(length));
    for (const one of news) server.emit('news', one);
    expect(await heardAtEnd(server, client, heard)).toEqual(news);
  });

  it('wait for a reader that pauses, and count as unread', async () => {
    const { server, client, engine, heard } = await connect();
    const stream = (client.io.engine.transport as unknown as { ws: { _socket: TcpSocket } }).ws._socket;
    stream.pause();
    const news = 'a'.repeat(1_000_000);
    for (let i = 0; i < 20; i++) server.emit('news', news);
    await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
    expect(engine.transport.socket._socket.writableLength).toBeGreaterThan(1_000_000);
    stream.resume();
    expect(await heardAtEnd(server, client, heard)).toHaveLength(20);
  });

  it('are reported as sent to whoever asks: of a packet, a connection, or all', async () => {
    const { server, client, engine, heard } = await connect();
    const reports: string[] = [];
    server.emit('news', 'before');
    await new Promise<void>((resolve) => engine.write('2["news","asked"]', {}, () => resolve()));
    engine.on('drain', () => reports.push('connection'));
    server.emit('news', 'watched');
    await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
    engine.removeAllListeners('drain');
    server.engine.on('drain', () => reports.push('server'));
    server.emit('news', 'watched by all');
    expect(await heardAtEnd(server, client, heard)).toEqual(['before', 'asked', 'watched', 'watched by all']);
    expect(reports.slice(0, 2)).toEqual(['connection', 'server']);
  });

  it('arrive before the goodbye of the same turn', async () => {
    const { server, client, heard } = await connect();
    const gone = new Promise((resolve) => client.on('disconnect', resolve));
    server.emit('news', 'last words');
    server.disconnectSockets();
    expect(await gone).toBe('io server disconnect');
    expect(heard).toEqual(['last words']);
  });
});
