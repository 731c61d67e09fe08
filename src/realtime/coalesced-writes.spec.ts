import { createServer } from 'node:http';
import type { AddressInfo, Socket as TcpSocket } from 'node:net';
import { Server, type Socket as ServerSocket } from 'socket.io';
import { io, type Socket } from 'socket.io-client';
import { afterAll, beforeAll, beforeEach, expect, it, vi, type MockInstance } from 'vitest';
import { CoalescedWrites, wideAt } from './coalesced-writes.js';
import { eventually } from '../../test/setup/patience.js';

interface Engine {
  write(packet: string): void;
  transport: { socket: { _socket: TcpSocket } };
}

let server: Server;
let writes: CoalescedWrites;
let clients: Socket[];
let members: ServerSocket[];
let heard: string[][];
/** Of each member's stream. */
let written: MockInstance[];
let clockMs = 0;
/** How much time passes whenever somebody looks. */
let stepMs = 0;

const turn = () => new Promise((resolve) => setTimeout(() => setImmediate(resolve)));

beforeAll(async () => {
  const http = createServer();
  server = new Server(http);
  writes = new CoalescedWrites(server, () => (clockMs += stepMs));
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
  clients = Array.from({ length: wideAt }, () => io(url, { transports: ['websocket'], forceNew: true }));
  await Promise.all(clients.map((client) => new Promise<void>((resolve) => client.once('connect', resolve))));
  members = clients.map(({ id }) => server.sockets.sockets.get(id!)!);
  written = members.map(({ conn }) => vi.spyOn((conn as unknown as Engine).transport.socket._socket, 'write'));
});

afterAll(async () => {
  for (const client of clients) client.disconnect();
  await server.close();
});

beforeEach(async () => {
  heard = clients.map((client, i) => {
    client.off('news').on('news', (news: string) => heard[i]!.push(news));
    return [];
  });
  stepMs = 5;
  tellAll('first');
  // Takes 5 ms by the clock: 20 ms of patience, of which 10 are allowed.
  await eventually(() => expect(heard.every((one) => one.includes('first'))).toBe(true));
  stepMs = 1;
  for (const spy of written) spy.mockClear();
});

function tellAll(news: string): void {
  writes.widely(() => {
    for (const { conn } of members) (conn as unknown as Engine).write(`2["news","${news}"]`);
  });
}

/**
 * As {@link tellAll}, where it waits: not to be ended by time, which a busy machine takes more of.
 */
function tellAllLater(news: string): void {
  const timers = vi.spyOn(globalThis, 'setTimeout').mockReturnValueOnce(undefined as never);
  tellAll(news);
  expect(timers).toHaveBeenCalledOnce();
  timers.mockRestore();
}

const writeCounts = () => [...new Set(written.map(({ mock }) => mock.calls.length))];

it('write once for two writes to many that follow each other soon', async () => {
  tellAllLater('second');
  await turn();
  expect(writeCounts()).toEqual([0]);
  tellAll('third');
  tellAll('fourth');
  await eventually(() => expect(heard).toEqual(clients.map(() => ['first', 'second', 'third', 'fourth'])));
  expect(writeCounts()).toEqual([1]);
});

it('do not wait for a next one that does not come', async () => {
  tellAll('second');
  await eventually(() => expect(heard).toEqual(clients.map(() => ['first', 'second'])));
  expect(writeCounts()).toEqual([1]);
});

it('take along what waits when a socket gets something of its own', async () => {
  tellAllLater('second');
  members[0]!.emit('news', 'his own');
  await turn();
  expect(written.map(({ mock }) => mock.calls.length)).toEqual([1, ...members.slice(1).map(() => 0)]);
  tellAll('third');
  await eventually(() => expect(heard.slice(1)).toEqual(clients.slice(1).map(() => ['first', 'second', 'third'])));
  await eventually(() => expect(heard[0]).toEqual(['first', 'second', 'his own', 'third']));
});

it('wait for nothing after a pause of more than 10 ms', async () => {
  clockMs += 10;
  tellAll('second');
  await turn();
  expect(writeCounts()).toEqual([1]);
});

it('of a socket that is sent away come before the goodbye', async () => {
  tellAll('second');
  members.pop()!.disconnect(true);
  written.pop();
  const client = clients.pop()!;
  await eventually(() => expect(client.connected).toBe(false));
  expect(heard.at(-1)).toEqual(['first', 'second']);
});
