import { Injectable, Logger, type BeforeApplicationShutdown } from '@nestjs/common';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Socket } from 'socket.io';
import { Settings } from '../config/index.js';
import { ConnectionRegistry } from './connection-registry.js';
import type { Connection } from './connection.js';
import { DrainState } from './drain-state.js';
import { EventDispatcher } from './event-dispatcher.js';
import { RequestDrain } from './request-drain.js';

/**
 * A node with no sockets, too, is seen to be red, and says farewell to those who keep connections
 * for REST.
 */
const noticeMs = 500;

/**
 * Takes a node out of service (guarantee 11): readiness red, no new sockets; then each socket's
 * events finish and are acked and its transport is closed, spread over `DRAIN_JITTER_MS`, so that
 * clients reconnect to other nodes by themselves and not all at once; then no more connections are
 * taken and REST requests finish. A server-side `disconnect()` would tell stock clients to stay
 * away.
 */
@Injectable()
export class Drain implements BeforeApplicationShutdown {
  private readonly logger = new Logger(Drain.name);

  constructor(
    private readonly state: DrainState,
    private readonly registry: ConnectionRegistry,
    private readonly dispatcher: EventDispatcher,
    private readonly requests: RequestDrain,
    private readonly settings: Settings,
  ) {}

  async beforeApplicationShutdown(): Promise<void> {
    this.state.begin();
    const connections = [...this.registry.all()];
    if (connections.length > 0) this.logger.log(`draining ${connections.length} connections`);
    const lateMs = Math.max(0, this.settings.shutdownTimeoutMs - 2_000);
    const late = sleep(lateMs, undefined, { ref: false });
    const seen = sleep(Math.min(noticeMs, this.settings.drainJitterMs));
    await Promise.all([seen, ...connections.map((connection) => this.close(connection, late))]);
    await Promise.race([this.requests.finish(), late]);
  }

  private async close(connection: Connection, late: Promise<void>): Promise<void> {
    await Promise.race([sleep(Math.random() * this.settings.drainJitterMs), late]);
    await Promise.race([this.dispatcher.finish(connection.socket), late]);
    await Promise.race([closed(connection.socket.conn), late]);
  }
}

/**
 * Resolves when what was written before is with the transport: whoever closes the server next
 * throws away what is not.
 */
function closed(transport: Socket['conn']): Promise<void> {
  if (transport.readyState === 'closed') return Promise.resolve();
  return new Promise((resolve) => {
    transport.once('close', () => resolve());
    transport.close();
  });
}
