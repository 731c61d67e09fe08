import type { INestApplicationContext } from '@nestjs/common';
import { IoAdapter } from '@nestjs/platform-socket.io';
import type { IncomingMessage } from 'node:http';
import type { Namespace, Server, ServerOptions, Socket } from 'socket.io';
import { clientNetwork } from '../common/index.js';
import { SignIn } from '../auth/index.js';
import { Settings } from '../config/index.js';
import { SocketAdapterFactory } from '../redis/index.js';
import { boundInput } from './bounded-input.js';
import { boundedParser } from './bounded-parser.js';
import { CoalescedWrites } from './coalesced-writes.js';
import { useDirectHandlers } from './direct-handlers.js';
import { DrainState } from './drain-state.js';
import { EventDispatcher, type EventHandler } from './event-dispatcher.js';
import { Handshake } from './handshake.js';
import { isCrossOriginAllowed, isOriginAllowed } from './origin.js';
import { cutPacketFloods } from './packet-flood.js';
import { PacketWriter } from './packet-writer.js';
import { reportRefusedOrigin } from './refused-origins.js';
import { SessionService } from './session.service.js';
import { StrangerLimits } from './stranger-limits.js';
import { TransportEcho } from './transport-echo.js';
import { cutSlowReaders } from './slow-reader.js';
import { UnknownNamespaces } from './unknown-namespaces.js';
import { directReads } from './websocket-reads.js';

/** What a launcher of several nodes adds to the edge. */
export interface EdgeOptions {
  /** Makes the Engine.IO id of a new session, unguessable; default: Engine.IO's own. */
  sessionId?: () => string;
}

/**
 * The Socket.IO edge in front of Nest's gateways: limits, origins, sign-in in every namespace, and
 * one dispatcher in place of Nest's event binding, which leaves acks open when a handler fails.
 */
export class ParleyIoAdapter extends IoAdapter {
  private readonly settings: Settings;
  private readonly unknownNamespaces: UnknownNamespaces;

  constructor(
    private readonly app: INestApplicationContext,
    private readonly edge: EdgeOptions = {},
  ) {
    super(app);
    this.settings = app.get(Settings);
    this.unknownNamespaces = new UnknownNamespaces(app.get(SignIn));
    useDirectHandlers(this.settings.directHandlers);
  }

  override createIOServer(port: number, options?: ServerOptions): Server {
    const server = super.createIOServer(port, { ...options, ...this.serverOptions() } as ServerOptions);
    const handshake = this.app.get(Handshake);
    const sessions = this.app.get(SessionService);
    if (this.edge.sessionId) server.engine.generateId = this.edge.sessionId;
    server.of('/').use(handshake.middleware);
    // Nest adds a listener per gateway, to the namespace and to each socket: more than Node's ten
    // is no leak here.
    server.of('/').setMaxListeners(0);
    // Middleware on "/" does not cover other namespaces (ADR-0005).
    this.unknownNamespaces.watch(server);
    server.on('new_namespace', (namespace: Namespace) => namespace.use(handshake.middleware));
    const read = this.settings.directReads ? directReads(this.settings.maxPacketBytes) : undefined;
    server.on('connection', (socket) => {
      socket.setMaxListeners(0);
      read?.(socket);
      sessions.start(socket);
    });
    boundInput(server, this.app.get(StrangerLimits), this.settings.trustProxy);
    cutPacketFloods(server);
    cutSlowReaders(server, this.settings.maxSocketBufferBytes);
    const coalesced = this.settings.coalesceWrites ? new CoalescedWrites(server) : null;
    this.app.get(PacketWriter).attach(server, coalesced);
    TransportEcho.watch(server);
    return server;
  }

  /**
   * Nest asks once per gateway and socket. The gateways of `/` share one stream of disconnects, in
   * which Nest drops repeats: one listener tells them all, and ten cost an idle socket 3 KiB. In
   * other namespaces each has its own stream.
   */
  override bindClientDisconnect(client: Socket, callback: (reason?: unknown) => void): void {
    const data = client.data as { isDisconnectBound?: boolean };
    if (client.nsp.name === '/' && data.isDisconnectBound) return;
    data.isDisconnectBound = true;
    super.bindClientDisconnect(client, callback);
  }

  override bindMessageHandlers(socket: Socket, handlers: { message: string; callback: EventHandler }[]): void {
    this.app.get(EventDispatcher).bind(socket, handlers);
  }

  private serverOptions(): Partial<ServerOptions> {
    const { settings } = this;
    const adapter = this.app.get(SocketAdapterFactory).create();
    return {
      ...(adapter === null ? {} : { adapter: adapter as NonNullable<ServerOptions['adapter']> }),
      parser: boundedParser(settings.maxPacketBytes, this.unknownNamespaces),
      maxHttpBufferSize: settings.maxTransportBytes,
      pingInterval: settings.pingIntervalMs,
      pingTimeout: settings.pingTimeoutMs,
      connectTimeout: 10_000,
      serveClient: false,
      cors: {
        origin: (origin: string | undefined, decide: (error: null, isAllowed: boolean) => void) =>
          decide(null, origin !== undefined && isCrossOriginAllowed(origin, settings)),
        credentials: true,
      },
      allowRequest: (request: IncomingMessage, decide: (error: string | null, isAllowed: boolean) => void) => {
        const refusal = this.refusalOf(request);
        decide(refusal, refusal === null);
      },
      // Compressing per message costs more processor time than the bytes are worth inside a data
      // centre.
      perMessageDeflate: false,
    };
  }

  /**
   * Why no transport is opened for a request, or null. A stock client tries again by itself after
   * such a refusal.
   */
  private refusalOf(request: IncomingMessage): string | null {
    if (this.app.get(DrainState).isDraining) return 'the node is shutting down';
    if (!isOriginAllowed(request, this.settings)) {
      reportRefusedOrigin(request, '/socket.io', this.settings);
      return 'CORS_ORIGINS does not allow this origin';
    }
    const address = clientNetwork(request, this.settings.trustProxy);
    return this.app.get(StrangerLimits).hasRoom(address) ? null : 'too many links that have not signed in';
  }
}
