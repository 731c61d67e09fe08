import { Injectable } from '@nestjs/common';
import { LiveGate, type Connection, type LiveBatch, type LiveChange } from '../realtime/index.js';
import type { DeviceSession } from './device-session.js';

/** Lets live changes through in an order without holes, and never ahead of a device's backlog. */
@Injectable()
export class DeliveryGate extends LiveGate {
  private readonly sessions = new Map<Connection, DeviceSession>();

  add(session: DeviceSession): void {
    this.sessions.set(session.connection, session);
  }

  /** @returns the session that ended */
  remove(connection: Connection): DeviceSession | undefined {
    const session = this.sessions.get(connection);
    this.sessions.delete(connection);
    return session;
  }

  get(connection: Connection): DeviceSession | undefined {
    return this.sessions.get(connection);
  }

  override admit<T extends LiveChange>(connection: Connection, joinedSeq: number, batch: LiveBatch<T>): readonly T[] {
    return this.sessions.get(connection)?.admit(joinedSeq, batch) ?? batch.changes;
  }
}
