import { Injectable, Logger, type BeforeApplicationShutdown } from '@nestjs/common';
import { setTimeout as sleep } from 'node:timers/promises';
import { Settings } from '../config/index.js';
import { ConnectionRegistry } from './connection-registry.js';
import type { Connection } from './connection.js';
import { DrainState } from './drain-state.js';
import { EventDispatcher } from './event-dispatcher.js';

/**
 * Takes a node out of service (guarantee 11): readiness red, no new sockets; then each socket's events finish and are
 * acked and its transport is closed, spread over `DRAIN_JITTER_MS`, so that clients reconnect to other nodes by
 * themselves and not all at once. A server-side `disconnect()` would tell stock clients to stay away.
 */
@Injectable()
export class Drain implements BeforeApplicationShutdown {
  private readonly logger = new Logger(Drain.name);

  constructor(
    private readonly state: DrainState,
    private readonly registry: ConnectionRegistry,
    private readonly dispatcher: EventDispatcher,
    private readonly settings: Settings,
  ) {}

  async beforeApplicationShutdown(): Promise<void> {
    this.state.begin();
    const connections = [...this.registry.all()];
    if (connections.length > 0) this.logger.log(`draining ${connections.length} connections`);
    const deadline = AbortSignal.timeout(Math.max(0, this.settings.shutdownTimeoutMs - 2_000));
    await Promise.all(connections.map((connection) => this.close(connection, deadline)));
  }

  private async close(connection: Connection, deadline: AbortSignal): Promise<void> {
    await sleep(Math.random() * this.settings.drainJitterMs, undefined, { signal: deadline }).catch(() => undefined);
    await Promise.race([this.dispatcher.finish(connection.socket), aborted(deadline)]);
    connection.socket.conn.close();
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}
