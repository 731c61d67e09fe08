import { Injectable, Logger, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import type { Socket } from 'socket.io';
import { ChatError } from '../common/index.js';
import { Settings } from '../config/index.js';
import { ConnectionLeaseStore } from '../redis/index.js';

const ttlMs = 60_000;
const renewIntervalMs = 20_000;

/**
 * Counts a user's sockets over all nodes, so that the twenty-first is refused wherever it knocks.
 *
 * A socket holds a lease in the store while it is connected; the leases of a dead node run out
 * after 60 s. While the store is away only this node's own sockets are counted: sign-in must not
 * depend on Redis (guarantee 10).
 */
@Injectable()
export class ConnectionLeases implements OnModuleInit, OnApplicationShutdown {
  private readonly logger = new Logger(ConnectionLeases.name);
  private readonly held = new Map<string, { userId: string; connectionId: string }>();
  private readonly countByUser = new Map<string, number>();
  private timer: NodeJS.Timeout | null = null;

  constructor(
    private readonly store: ConnectionLeaseStore,
    private readonly settings: Settings,
  ) {}

  onModuleInit(): void {
    this.timer = setInterval(() => void this.renew(), renewIntervalMs);
  }

  onApplicationShutdown(): void {
    if (this.timer) clearInterval(this.timer);
  }

  /**
   * Takes a lease for a socket, which gives it back by itself when its transport closes.
   * @throws ChatError RATE_LIMITED when the user has `MAX_SOCKETS_PER_USER` already
   */
  async acquire(socket: Socket, userId: string): Promise<void> {
    const max = this.settings.maxSocketsPerUser;
    if ((this.countByUser.get(userId) ?? 0) >= max) throw tooMany(max);
    this.hold(socket.id, userId);
    socket.conn.once('close', () => this.release(socket.id));
    socket.once('disconnect', () => this.release(socket.id));
    const isGranted = await this.store.acquire(userId, socket.id, { max, ttlMs }).catch(() => true);
    if (!isGranted) {
      this.drop(socket.id);
      throw tooMany(max);
    }
    // The transport may have closed while the store was asked; its lease would be nobody's.
    if (socket.conn.readyState !== 'open') this.release(socket.id);
  }

  private hold(connectionId: string, userId: string): void {
    this.held.set(connectionId, { userId, connectionId });
    this.countByUser.set(userId, (this.countByUser.get(userId) ?? 0) + 1);
  }

  private drop(connectionId: string): string | null {
    const lease = this.held.get(connectionId);
    if (!lease) return null;
    this.held.delete(connectionId);
    const left = (this.countByUser.get(lease.userId) ?? 1) - 1;
    if (left === 0) this.countByUser.delete(lease.userId);
    else this.countByUser.set(lease.userId, left);
    return lease.userId;
  }

  /** Gives a lease back, before the transport closes; nothing where there is none. */
  release(connectionId: string): void {
    const userId = this.drop(connectionId);
    if (userId !== null) this.store.release(userId, connectionId).catch(() => undefined);
  }

  private async renew(): Promise<void> {
    if (this.held.size === 0) return;
    await this.store
      .renew([...this.held.values()], ttlMs)
      .catch((error: unknown) => this.logger.debug(`leases not renewed: ${String(error)}`));
  }
}

function tooMany(max: number): ChatError {
  return new ChatError('RATE_LIMITED', { message: `More than ${max} sockets of one user`, retryAfterMs: 5_000 });
}
