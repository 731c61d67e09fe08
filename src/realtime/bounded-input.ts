import type { IncomingMessage } from 'node:http';
import type { Socket as TcpSocket } from 'node:net';
import type { Server, Socket } from 'socket.io';
import { clientNetwork, type TrustedProxies } from '../common/index.js';
import type { StrangerHold, StrangerLimits } from './stranger-limits.js';

/** PROTOCOL 2: more pieces of one message close the connection. */
const maxFragments = 1_000;
/** Reads of the network that one frame may take; at 500 bytes each, twice what a frame can have. */
const maxChunks = 1_024;
/** How long a client that is at fault may take to say goodbye. */
const closeTimeoutMs = 2_000;
// What a buffer of its own costs beside its bytes: 16,000 of one byte take 1.7 MiB of heap.
const bytesOfBuffer = 256;

/** What this file uses of `ws` and Engine.IO beyond their types. */
interface WebSocketLike {
  _receiver: { _bufferedBytes: number; _buffers: unknown[]; _fragments: unknown[]; _totalPayloadLength: number } | null;
  _socket: TcpSocket | null;
  on(event: 'close', listener: () => void): void;
  terminate(): void;
}

interface EngineSocket {
  request: IncomingMessage;
  readyState: string;
  on(event: 'close', listener: () => void): void;
}

interface Engine {
  opts: { wsEngine: new (options: object) => object };
  clients: Record<string, EngineSocket | undefined>;
  init(): void;
  handleRequest(request: IncomingMessage, response: unknown): void;
  onWebSocket(request: IncomingMessage, socket: TcpSocket, webSocket: WebSocketLike): void;
  on(event: 'connection', listener: (connection: EngineSocket) => void): void;
}

/**
 * Bounds what unfinished input may pin, on every connection and of those who have not signed in.
 *
 * A message in more than 1,000 fragments closes its connection. Before sign-in, links and
 * unfinished messages and bodies count for their address ({@link StrangerLimits}).
 */
export function boundInput(server: Server, limits: StrangerLimits, proxies: TrustedProxies): void {
  const engine = server.engine as unknown as Engine;
  const addressOf = (request: IncomingMessage): string => clientNetwork(request, proxies);
  const holds = new WeakMap<object, StrangerHold>();
  const watches = new WeakMap<object, InputWatch>();
  boundFragments(engine);

  engine.on('connection', (connection) => {
    const hold = limits.link(addressOf(connection.request));
    holds.set(connection, hold);
    connection.on('close', () => hold.end());
  });
  const { handleRequest, onWebSocket } = engine;
  engine.handleRequest = (request, response) => {
    const connection = engine.clients[new URLSearchParams(request.url?.split('?')[1]).get('sid') ?? ''];
    const hold = connection && holds.get(connection);
    boundBody(request, limits.body(addressOf(request)), hold);
    handleRequest.call(engine, request, response);
  };
  engine.onWebSocket = (request, socket, webSocket) => {
    watches.set(webSocket, new InputWatch(webSocket, socket, limits.body(addressOf(request))));
    onWebSocket.call(engine, request, socket, webSocket);
  };
  // Namespaces other than "/" need a sign-in, too.
  server.on('new_namespace', (namespace) => namespace.on('connection', signedIn));
  server.of('/').on('connection', signedIn);

  function signedIn({ conn }: Socket): void {
    holds.get(conn)?.end();
    const { transport } = conn as unknown as { transport: { socket?: object } };
    if (transport.socket) watches.get(transport.socket)?.end();
    conn.on('upgrade', ({ socket }: { socket?: object }) => socket && watches.get(socket)?.end());
  }
}

/** Engine.IO makes the `ws` server by itself, again when the HTTP server listens. */
function boundFragments(engine: Engine): void {
  const Base = engine.opts.wsEngine;
  engine.opts.wsEngine = class BoundedWebSockets extends Base {
    constructor(options: object) {
      super({ ...options, maxFragments, maxBufferedChunks: maxChunks, closeTimeout: closeTimeoutMs });
    }
  };
  engine.init();
}

/** What a WebSocket that has not signed in has begun and not finished. */
class InputWatch {
  private readonly look = (chunk: Buffer): void => {
    this.hold.received(chunk.length);
    this.count();
  };

  constructor(
    private readonly webSocket: WebSocketLike,
    private readonly socket: TcpSocket,
    private readonly hold: StrangerHold,
  ) {
    // Behind the listener of `ws`, which has taken the bytes by then.
    socket.on('data', this.look);
    webSocket.on('close', () => this.end());
  }

  /** Signed in: what its user may pin is bounded by the sockets of a user. */
  end(): void {
    this.socket.off('data', this.look);
    this.hold.end();
  }

  private count(): void {
    const receiver = this.webSocket._receiver;
    if (!receiver) return;
    const { _bufferedBytes, _buffers, _fragments, _totalPayloadLength } = receiver;
    const begun = _fragments.length > 0 ? _totalPayloadLength : 0;
    const pieces = _buffers.length + _fragments.length;
    if (!this.hold.pin(_bufferedBytes + begun + pieces * bytesOfBuffer)) this.webSocket.terminate();
  }
}

/**
 * Counts the body of a request while it arrives; whoever sends it in too many pieces, or is over
 * the limits of strangers, is cut.
 *
 * @param session a poller's that has not signed in: what its bodies bring counts until it has
 */
export function boundBody(request: IncomingMessage, hold: StrangerHold, session?: StrangerHold): void {
  const { headers } = request;
  if (headers['transfer-encoding'] === undefined && !(Number(headers['content-length']) > 0)) return;
  let bytes = 0;
  let pieces = 0;
  const push = request.push.bind(request);
  // A listener to `data` would start the flow before the parser listens.
  request.push = (chunk: Buffer | null, encoding?: BufferEncoding) => {
    if (chunk === null) hold.end();
    else {
      bytes += chunk.length;
      pieces += 1;
      session?.received(chunk.length);
      const isWithin = hold.pin(bytes + pieces * bytesOfBuffer) && (session?.pin(0) ?? true);
      if (!isWithin || pieces > maxChunks) request.socket.destroy();
    }
    return push(chunk, encoding);
  };
  request.on('close', () => hold.end());
}
