import { Logger } from '@nestjs/common';
import type { Server } from 'socket.io';
import { TokenBucket } from '../common/index.js';

/** What this file uses of Engine.IO and of `ws` below it, beyond their types. */
interface Engine {
  onWebSocket(request: unknown, socket: unknown, webSocket: WebSocketLike): void;
  on(event: 'connection', listener: (connection: EngineSocket) => void): void;
}

interface WebSocketLike {
  on(event: 'ping', listener: () => void): void;
  terminate(): void;
}

interface EngineSocket {
  id: string;
  on(event: 'packet', listener: (packet: { type: string; data?: unknown }) => void): void;
  close(discard: boolean): void;
  transport: { socket?: WebSocketLike };
}

/** Far above what clients send: a pong twice a second at most, and one packet a namespace. */
const perSecond = 20;
const burst = 200;

/**
 * Cuts connections that flood with what the event budgets do not count: ping frames, which `ws`
 * answers by itself and without asking whether the answers are read (half a gigabyte in eight
 * seconds of a client that reads nothing, signed in or not), and packets that are no events, such
 * as sign-ins to namespaces.
 */
export function cutPacketFloods(server: Server): void {
  const engine = server.engine as unknown as Engine;
  const { onWebSocket } = engine;
  // Every WebSocket, also one that a poller opens and never goes over to.
  engine.onWebSocket = (request, socket, webSocket) => {
    boundPings(webSocket);
    onWebSocket.call(engine, request, socket, webSocket);
  };
  engine.on('connection', boundPackets);
}

function boundPings(webSocket: WebSocketLike): void {
  let budget: TokenBucket | null = null;
  webSocket.on('ping', () => {
    budget ??= new TokenBucket(perSecond, burst, Date.now());
    if (budget.take(Date.now()) > 0) webSocket.terminate();
  });
}

function boundPackets(connection: EngineSocket): void {
  const budget = new TokenBucket(perSecond, burst, Date.now());
  connection.on('packet', ({ type, data }) => {
    if (isEvent(type, data) || budget.take(Date.now()) === 0) return;
    new Logger('PacketFlood').warn(`connection ${connection.id} is cut: too many packets that are no events`);
    connection.close(true);
    connection.transport.socket?.terminate();
  });
}

/** Binary data belongs to an event. */
function isEvent(type: string, data: unknown): boolean {
  return type === 'message' && (typeof data !== 'string' || data[0] === '2' || data[0] === '5');
}
