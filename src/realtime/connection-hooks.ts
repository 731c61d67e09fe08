import { Injectable } from '@nestjs/common';
import type { Actor } from '../auth/index.js';
import type { Connection } from './connection.js';

/** What a feature wants to do in the life of a connection. Every method is optional. */
export interface ConnectionHook {
  /**
   * During the handshake, after the token was verified and before the socket exists; hooks run one
   * after another. A ChatError refuses the handshake with its code; any other error refuses it with
   * `INTERNAL`.
   */
  beforeConnect?(actor: Actor): Promise<void> | void;
  /** The connection is registered; nothing has been sent to it. Must not throw. */
  connected?(connection: Connection): void;
  /** `session-ready` was sent; live events flow from here on. Failures are logged. */
  ready?(connection: Connection): Promise<void> | void;
  /** The connection is gone and no longer registered. Failures are logged. */
  disconnected?(connection: Connection, reason: string): Promise<void> | void;
}

/** Where features add themselves to the life of connections; they register in `onModuleInit`. */
@Injectable()
export class ConnectionHooks {
  private readonly hooks: ConnectionHook[] = [];

  register(hook: ConnectionHook): void {
    this.hooks.push(hook);
  }

  all(): readonly ConnectionHook[] {
    return this.hooks;
  }
}
