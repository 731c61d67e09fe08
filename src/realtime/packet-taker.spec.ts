import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Server } from 'socket.io';
import { io, type Socket } from 'socket.io-client';
import { afterEach, describe, expect, it } from 'vitest';
import { takePackets } from './packet-taker.js';

let server: Server | undefined;
let client: Socket | undefined;

afterEach(async () => {
  client?.close();
  await server?.close();
});

async function connected(isDirect: boolean): Promise<{ taken: unknown[][]; overheard: unknown[][] }> {
  const [taken, overheard]: unknown[][][] = [[], []];
  const http = createServer();
  server = new Server(http);
  server.on('connection', (socket) => {
    socket.onAny((...packet: unknown[]) => overheard!.push(packet.slice(0, 2)));
    takePackets(socket, isDirect, (packet) => {
      const ack = packet.at(-1);
      if (typeof ack !== 'function') return void taken!.push(packet);
      taken!.push(packet.slice(0, -1));
      (ack as (answer: unknown) => void)({ ok: true });
      (ack as (answer: unknown) => void)({ ok: false });
    });
  });
  await new Promise((resolve) => http.listen(0, '127.0.0.1', () => resolve(undefined)));
  const { port } = http.address() as AddressInfo;
  client = io(`http://127.0.0.1:${port}`, { transports: ['websocket'] });
  await new Promise((resolve) => client!.once('connect', () => resolve(undefined)));
  return { taken: taken!, overheard: overheard! };
}

describe.each([
  ['directly', true],
  ['by middleware', false],
])('takePackets, %s', (_, isDirect) => {
  it('hands over every packet in order, and its ack answers once', async () => {
    const { taken, overheard } = await connected(isDirect);
    client!.emit('first', { n: 1 });
    client!.emit('second');
    expect(await client!.emitWithAck('third', 'word', [3])).toEqual({ ok: true });
    expect(taken).toEqual([['first', { n: 1 }], ['second'], ['third', 'word', [3]]]);
    expect(overheard.map(([event]) => event)).toEqual(['first', 'second', 'third']);
  });

  it('keeps an event named error, and one that a listener waits for, from Node’s event emitter', async () => {
    const { taken } = await connected(isDirect);
    const heard: unknown[] = [];
    for (const socket of server!.sockets.sockets.values()) socket.on('mine', (payload) => heard.push(payload));
    client!.emit('error', 'boom');
    client!.emit('mine', 1);
    await client!.emitWithAck('last');
    expect(taken).toEqual([['error', 'boom'], ['mine', 1], ['last']]);
    expect(heard).toEqual([]);
  });
});
