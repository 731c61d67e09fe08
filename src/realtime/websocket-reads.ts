import { isUtf8 } from 'node:buffer';
import type { Socket } from 'socket.io';

/** What this file uses of `ws`' parser of frames beyond its types. */
interface FrameReceiver {
  write(chunk: Buffer): boolean;
  writableLength: number;
  _state: number;
  _opcode: number;
  _bufferedBytes: number;
  _fragmented: number;
  _errored: boolean;
  _maxPayload: number;
  transport?: WebSocketTransport;
}

/** The same of Engine.IO's WebSocket transport. */
interface WebSocketTransport {
  name: string;
  protocol: number;
  onData(text: string): void;
  socket: { readyState: number; _receiver: FrameReceiver | null; listenerCount(event: string): number };
  reader?: Socket;
}

/** The same of an Engine.IO socket. */
interface EngineSocket {
  readyState: string;
  transport: WebSocketTransport;
  pingTimeoutTimer: unknown;
  hasRefreshedPingTimeout: boolean;
  on(event: 'upgrade', listener: (transport: object) => void): void;
  listenerCount(event: string): number;
}

/** The same of Socket.IO. */
interface PacketReceiver {
  client: { decoder: { reconstructor?: object | null } };
  _onpacket(packet: EventPacket): void;
}

interface EventPacket {
  type: 2;
  nsp: '/';
  id: number | undefined;
  data: unknown[];
}

const open = 1;
const betweenFrames = 0;
const closeFrame = 0x08;
/** Text frame, final; and of the second byte: masked, and the length. */
const textFrame = 0x81;
const maskBit = 0x80;
const lengthBits = 0x7f;
const lengthIn16Bits = 126;
const lengthIn64Bits = 127;

// As Socket.IO's parser refuses them.
const reservedEvents = new Set<unknown>([
  'connect',
  'connect_error',
  'disconnect',
  'disconnecting',
  'newListener',
  'removeListener',
]);
// Who hears of packets on a connection: `packet-flood.ts` and `transport-echo.ts`, neither of
// events; and Socket.IO.
const knownListeners = { packet: 2, data: 1, message: 0 };
const [four, two, zero, nine, bracket] = ['4', '2', '0', '9', '['].map((sign) => sign.charCodeAt(0)) as [
  number,
  number,
  number,
  number,
  number,
];
/** Digits of an ack id; what has more is left to Socket.IO. */
const maxIdLength = 15;

/**
 * Reads whole text frames, and whole events in them, in one go (ADR-0016), instead of through a
 * stream, an emitter and a parser that looks at each character.
 *
 * Everything else is left to `ws`, Engine.IO and Socket.IO, in its place in the order: frames cut
 * by the network or by the client, binary ones, compressed ones, control frames, faults of any
 * kind, packets that are no events of `/`, events above `maxPacketBytes`, the first after a ping
 * (it moves Engine.IO's time-out), and all as soon as somebody else listens to the connection's
 * packets. `DIRECT_READS=false` leaves them everything.
 *
 * @returns what is to be called with each new socket of `/`
 */
export function directReads(maxPacketBytes: number): (socket: Socket) => void {
  // Shared by all connections: an idle one costs two properties.
  function onData(this: WebSocketTransport, text: string): void {
    const { reader } = this;
    const packet = reader && text.length * 3 <= maxPacketBytes && isPlain(this, reader) ? eventOf(text) : null;
    // Later in this turn, as Socket.IO does, so that it stays behind packets that came before.
    if (packet) process.nextTick(receive, reader, packet);
    else (Object.getPrototypeOf(this) as WebSocketTransport).onData.call(this, text);
  }

  return (socket) => {
    const connection = socket.conn as unknown as EngineSocket;
    const attach = (transport: WebSocketTransport): void => {
      const receiver = transport.socket?._receiver;
      if (transport.name !== 'websocket' || transport.protocol !== 4 || !receiver) return;
      transport.reader = socket;
      transport.onData = onData;
      receiver.transport = transport;
      receiver.write = writeChunk;
    };
    attach(connection.transport);
    if (connection.transport.name !== 'websocket') {
      connection.on('upgrade', (transport) => attach(transport as WebSocketTransport));
    }
  };
}

function writeChunk(this: FrameReceiver, chunk: Buffer): boolean {
  const taken = isAtRest(this) ? takeTexts(this, this.transport!, chunk) : 0;
  if (taken === chunk.length) return true;
  const { write } = Object.getPrototypeOf(this) as FrameReceiver;
  return write.call(this, taken === 0 ? chunk : chunk.subarray(taken));
}

function isAtRest(receiver: FrameReceiver): boolean {
  return (
    receiver._state === betweenFrames &&
    receiver._bufferedBytes === 0 &&
    receiver._fragmented === 0 &&
    receiver._opcode !== closeFrame &&
    !receiver._errored &&
    receiver.writableLength === 0
  );
}

/** Hands on the texts a chunk begins with. @returns how many bytes that were */
function takeTexts({ _maxPayload: maxPayload }: FrameReceiver, transport: WebSocketTransport, chunk: Buffer): number {
  if (transport.socket.listenerCount('message') !== 1) return 0;
  let at = 0;
  while (at + 6 <= chunk.length && transport.socket.readyState === open) {
    const second = chunk[at + 1]!;
    if (chunk[at] !== textFrame || (second & maskBit) === 0) break;
    let length = second & lengthBits;
    let maskAt = at + 2;
    if (length === lengthIn64Bits) break;
    if (length === lengthIn16Bits) {
      length = chunk.readUInt16BE(maskAt);
      maskAt += 2;
    }
    const end = maskAt + 4 + length;
    if (end > chunk.length || (maxPayload > 0 && length > maxPayload)) break;
    const text = unmaskedText(chunk, maskAt, end);
    if (text === null) break;
    at = end;
    transport.onData(text);
  }
  return at;
}

/** @returns the text of a frame, or null when it is no UTF-8: then the bytes are as they were */
function unmaskedText(chunk: Buffer, maskAt: number, end: number): string | null {
  const start = maskAt + 4;
  if (applyMask(chunk, maskAt, end) < maskBit) return chunk.toString('latin1', start, end);
  if (isUtf8(chunk.subarray(start, end))) return chunk.toString('utf8', start, end);
  applyMask(chunk, maskAt, end);
  return null;
}

/** @returns all bits that occur in the bytes then: below 0x80 they are ASCII */
function applyMask(chunk: Buffer, maskAt: number, end: number): number {
  const [first, second, third, fourth] = [chunk[maskAt]!, chunk[maskAt + 1]!, chunk[maskAt + 2]!, chunk[maskAt + 3]!];
  let bits = 0;
  let at = maskAt + 4;
  for (; at + 3 < end; at += 4) {
    bits |= chunk[at]! ^= first;
    bits |= chunk[at + 1]! ^= second;
    bits |= chunk[at + 2]! ^= third;
    bits |= chunk[at + 3]! ^= fourth;
  }
  for (let i = 0; at < end; at++, i++) bits |= chunk[at]! ^= chunk[maskAt + i]!;
  return bits;
}

/** Whether Engine.IO and Socket.IO would do nothing with an event but hand it on. */
function isPlain(transport: WebSocketTransport, socket: Socket): boolean {
  const connection = socket.conn as unknown as EngineSocket;
  return (
    socket.connected &&
    connection.readyState === 'open' &&
    connection.transport === transport &&
    (connection.pingTimeoutTimer === null || connection.hasRefreshedPingTimeout) &&
    !(socket as unknown as PacketReceiver).client.decoder.reconstructor &&
    connection.listenerCount('packet') === knownListeners.packet &&
    connection.listenerCount('data') === knownListeners.data &&
    connection.listenerCount('message') === knownListeners.message
  );
}

/**
 * @returns the packet of an event of `/` without binary parts; null: something else, or at fault
 */
function eventOf(text: string): EventPacket | null {
  if (text.charCodeAt(0) !== four || text.charCodeAt(1) !== two) return null;
  let at = 2;
  let id: number | undefined;
  for (let sign = text.charCodeAt(at); sign >= zero && sign <= nine; sign = text.charCodeAt(++at)) {
    id = (id ?? 0) * 10 + sign - zero;
  }
  if (text.charCodeAt(at) !== bracket || at > maxIdLength) return null;
  const data = parsed(text.slice(at));
  if (!Array.isArray(data) || typeof data[0] !== 'string' || reservedEvents.has(data[0])) return null;
  return { type: 2, nsp: '/', id, data };
}

function parsed(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return null;
  }
}

function receive(socket: Socket, packet: EventPacket): void {
  (socket as unknown as PacketReceiver)._onpacket(packet);
}
