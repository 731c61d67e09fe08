import type { Socket as TcpSocket } from 'node:net';

/** A packet as Engine.IO hands it to a transport. */
interface EnginePacket {
  type: string;
  data?: unknown;
  options?: { wsPreEncodedFrame?: readonly Buffer[] };
}

/**
 * What this file uses of Engine.IO's WebSocket transport, and of `ws` below it, beyond their types.
 */
interface WebSocketTransport {
  name: string;
  writable: boolean;
  perMessageDeflate: unknown;
  /** Called when the last packet is written: announces `drain` and `ready`. */
  _onSentLast(error?: Error | null): void;
  socket: {
    readyState: number;
    _socket: TcpSocket | null;
    /** `_state`: 0 when nothing waits to be compressed. */
    _sender: { _state: number };
  };
}

/** The same of an Engine.IO socket. */
interface EngineSocket {
  readyState: string;
  transport: WebSocketTransport;
  writeBuffer: EnginePacket[];
  /** Who wants to know when packets are sent: of packets that wait, and of those on their way. */
  packetsFn: unknown[];
  sentCallbackFn: unknown[];
  emit(event: 'flush', packets: EnginePacket[]): void;
  listenerCount(event: 'drain'): number;
}

const open = 1;
const idle = 0;
/** Text frame, final. */
const textFrame = 0x81;
// Engine.IO's packet types.
const types: Readonly<Record<string, string>> = { ping: '2', message: '4' };
// Node writes a string up to this length without making a buffer of it.
const maxStringLength = 16_384;

/**
 * Writes all packets that wait on a connection as one piece: one frame after the other in one
 * `write`.
 *
 * Engine.IO and `ws` write each packet as two pieces with callbacks of their own. Left to them are
 * other transports, a transport that compresses, a closing one, anything but messages of text and
 * pings (binary parts, a goodbye), and what somebody waits for. What the kernel does not take, Node
 * keeps in order; from its limit on Engine.IO waits, as it does with its own writes.
 *
 * @returns whether they were written
 */
export function writeAtOnce(connection: object): boolean {
  const own = connection as EngineSocket;
  const { transport, writeBuffer: packets } = own;
  const stream = isUnwatched(own) ? streamOf(transport) : null;
  if (stream === null || !packets.every(isText)) return false;
  own.emit('flush', packets);
  own.writeBuffer = [];
  const frames = framesOf(packets);
  const isTaken = typeof frames === 'string' ? stream.write(frames, 'latin1') : stream.write(frames);
  if (!isTaken) {
    transport.writable = false;
    stream.once('drain', transport._onSentLast);
  }
  return true;
}

/** Whether nobody is told that packets have been sent. */
function isUnwatched(connection: EngineSocket): boolean {
  return (
    connection.readyState === 'open' &&
    connection.packetsFn.length === 0 &&
    connection.sentCallbackFn.length === 0 &&
    connection.listenerCount('drain') === 0
  );
}

/** One frame around a text, in one buffer, for packets that go to many sockets. */
export function textFrameOf(text: string): Buffer {
  const length = Buffer.byteLength(text);
  const header = headerOf(length);
  const frame = Buffer.allocUnsafe(header.length + length);
  frame.write(header, 'latin1');
  frame.write(text, header.length, 'utf8');
  return frame;
}

function streamOf({ name, writable, perMessageDeflate, socket }: WebSocketTransport): TcpSocket | null {
  if (name !== 'websocket' || !writable || perMessageDeflate) return null;
  return socket.readyState === open && socket._sender._state === idle ? socket._socket : null;
}

function isText({ type, data, options }: EnginePacket): boolean {
  if (type === 'ping') return data === undefined;
  return type === 'message' && (typeof data === 'string' || options?.wsPreEncodedFrame !== undefined);
}

/**
 * @returns a string of bytes when all of it is ASCII and short, which Node writes without a buffer
 */
function framesOf(packets: readonly EnginePacket[]): string | Buffer {
  if (packets.length === 1) return frameOf(packets[0]!);
  const frames = packets.map(frameOf);
  if (frames.every((frame) => typeof frame !== 'string')) return joined(frames);
  const length = frames.reduce((sum, frame) => sum + frame.length, 0);
  if (length <= maxStringLength && frames.every((frame) => typeof frame === 'string')) return frames.join('');
  return Buffer.concat(frames.map((frame) => (typeof frame === 'string' ? Buffer.from(frame, 'latin1') : frame)));
}

/** What was joined last: several messages of one turn are the same to every member of a group. */
let lastFrames: readonly Buffer[] = [];
let lastJoined = Buffer.alloc(0);

function joined(frames: readonly Buffer[]): Buffer {
  const isRepeat = frames.length === lastFrames.length && frames.every((frame, i) => frame === lastFrames[i]);
  if (isRepeat) return lastJoined;
  lastJoined = Buffer.concat(frames);
  lastFrames = frames;
  return lastJoined;
}

function frameOf({ type, data = '', options }: EnginePacket): string | Buffer {
  const encoded = options?.wsPreEncodedFrame;
  if (encoded) return encoded.length === 1 ? encoded[0]! : Buffer.concat(encoded);
  const text = types[type]! + (data as string);
  const isAscii = Buffer.byteLength(text) === text.length;
  return isAscii && text.length <= maxStringLength ? headerOf(text.length) + text : textFrameOf(text);
}

/** The header of an unmasked text frame (RFC 6455, section 5.2), a character per byte. */
function headerOf(length: number): string {
  if (length < 126) return String.fromCharCode(textFrame, length);
  if (length < 65_536) return String.fromCharCode(textFrame, 126, length >> 8, length & 255);
  const bytes = [24, 16, 8, 0].map((shift) => (length >>> shift) & 255);
  return String.fromCharCode(textFrame, 127, 0, 0, 0, 0, ...bytes);
}
