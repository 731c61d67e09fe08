import { Injectable, Logger, type OnModuleInit } from '@nestjs/common';
import type { Socket } from 'socket.io';
import { AccessWatch, Actor, Revocations, SignIn } from '../auth/index.js';
import { ChatError, clientNetwork, Clock, newRandomId } from '../common/index.js';
import { Settings } from '../config/index.js';
import { CommitPosition, encodePosition, type Position } from '../database/index.js';
import { ConnectionHooks, type ConnectionHook } from './connection-hooks.js';
import { ConnectionRegistry } from './connection-registry.js';
import { Connection, type AckMode } from './connection.js';
import { TokenExpiry } from './token-expiry.js';

/** The server's time and the position up to which everything is known; for `heartbeat`. */
export interface Pulse {
  /** ISO 8601, UTC. */
  serverTime: string;
  syncToken: string;
}

/** Turns an admitted socket into a session, and ends it when its token does. */
@Injectable()
export class SessionService implements OnModuleInit {
  private readonly logger = new Logger(SessionService.name);

  constructor(
    private readonly registry: ConnectionRegistry,
    private readonly hooks: ConnectionHooks,
    private readonly position: CommitPosition,
    private readonly signIn: SignIn,
    private readonly revocations: Revocations,
    private readonly watch: AccessWatch,
    private readonly expiry: TokenExpiry,
    private readonly clock: Clock,
    private readonly settings: Settings,
  ) {}

  onModuleInit(): void {
    this.revocations.onRevoked((userId) => this.closeRevoked(userId));
  }

  /**
   * Starts the session of a socket of the default namespace: `session-ready` first, then live
   * events.
   *
   * The connection is registered before the position is read, so whatever commits after that
   * position reaches it live.
   */
  start(socket: Socket): void {
    const { actor, ackMode } = socket.data as { actor: Actor; ackMode: AckMode };
    const connection = new Connection(socket, actor, newRandomId(), ackMode);
    (socket.data as { connection: Connection }).connection = connection;
    this.registry.add(connection);
    socket.once('disconnect', (reason) => void this.end(connection, reason));
    // Revoked between the handshake and this moment: no listener could find the connection then.
    if (this.revocations.isRevoked(actor.principal, actor.deviceId))
      return connection.refuse(new ChatError('TOKEN_REVOKED').toBody(newRandomId()));
    this.expiry.watch(connection);
    for (const hook of this.hooks.all()) hook.connected?.(connection);
    void this.announce(connection);
  }

  /** Closes every connection of a user, for instance of one device, telling it why. */
  closeConnections(userId: string, error: ChatError, isMeant: (connection: Connection) => boolean = () => true): void {
    for (const connection of [...this.registry.ofUser(userId)]) {
      if (isMeant(connection)) connection.refuse(error.toBody(newRandomId()));
    }
  }

  /**
   * Goes on with a new token of the same user.
   * @returns expiresAt ISO 8601
   * @throws ChatError UNAUTHENTICATED | TOKEN_EXPIRED | TOKEN_REVOKED | RATE_LIMITED | FORBIDDEN (another `sub`)
   */
  async refresh(actor: Actor, token: string): Promise<{ expiresAt: string }> {
    const connection = actor.connectionId === null ? undefined : this.registry.get(actor.connectionId);
    const network = connection ? clientNetwork(connection.socket.request, this.settings.trustProxy) : null;
    const principal = await this.signIn.principalOf(token, network, actor.deviceId);
    actor.principal = principal;
    if (connection) this.expiry.watch(connection);
    return { expiresAt: new Date(principal.expiresAtMs).toISOString() };
  }

  /**
   * The time and the position. While Postgres is away: the position this socket was told last, from
   * which `sync` leaves out nothing either. The link is alive, and that is what it asks first.
   *
   * @throws ChatError UNAVAILABLE, for a session that has not begun
   */
  async pulse({ connectionId }: Actor): Promise<Pulse> {
    const connection = connectionId === null ? undefined : this.registry.get(connectionId);
    try {
      return this.pulseAt(await this.position.now(), connection);
    } catch (error) {
      const told = connection?.toldPosition ?? null;
      if (told === null || !(error instanceof ChatError)) throw error;
      return this.pulseAt(told, connection);
    }
  }

  private pulseAt(position: Position, connection: Connection | undefined): Pulse {
    if (connection) connection.toldPosition = position;
    return { serverTime: new Date(this.clock.now()).toISOString(), syncToken: encodePosition(position) };
  }

  private async announce(connection: Connection): Promise<void> {
    try {
      const pulse = this.pulseAt(await this.position.now(), connection);
      await this.watch.assertKept();
      if (!connection.isOpen) return;
      connection.open({
        userId: connection.userId,
        deviceId: connection.deviceId,
        sessionId: connection.sessionId,
        ...pulse,
        heartbeatIntervalMs: this.settings.heartbeatIntervalMs,
      });
      await this.eachHook('ready', (hook) => hook.ready?.(connection));
    } catch (error) {
      // Without a position, or without the latest revocations, there is no session; closing the
      // transport lets a stock client try again by itself.
      this.logger.warn(`session of ${connection.id} not opened: ${String(error)}`);
      connection.socket.conn.close();
    }
  }

  private async end(connection: Connection, reason: string): Promise<void> {
    this.registry.remove(connection);
    this.expiry.forget(connection);
    await this.eachHook('disconnected', (hook) => hook.disconnected?.(connection, reason));
  }

  private async eachHook(name: string, call: (hook: ConnectionHook) => Promise<void> | void): Promise<void> {
    for (const hook of this.hooks.all()) {
      try {
        await call(hook);
      } catch (error) {
        this.logger.error(`a ${name} hook failed`, error instanceof Error ? error.stack : String(error));
      }
    }
  }

  private closeRevoked(userId: string): void {
    this.closeConnections(userId, new ChatError('TOKEN_REVOKED'), ({ actor }) =>
      this.revocations.isRevoked(actor.principal, actor.deviceId),
    );
  }
}
