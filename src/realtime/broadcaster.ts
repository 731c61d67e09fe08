import { Injectable } from '@nestjs/common';
import { NodeBus } from '../redis/index.js';
import type { Connection } from './connection.js';
import { ConnectionRegistry } from './connection-registry.js';
import { PacketWriter } from './packet-writer.js';

/** Whom an event is for. A connection that several fields name gets it once. */
export interface Audience {
  /** All connections of these users. */
  userIds?: string[];
  /** With `conversationId`: only those of the users' connections that joined it. */
  conversationId?: string;
  /** Not this connection: the one that acted. */
  exceptConnectionId?: string | null;
}

const topic = 'emit';

interface Emission {
  audience: Audience;
  event: string;
  payload: unknown;
}

/**
 * Sends events to users, on this node and all others.
 *
 * At most once, in order per publishing node. For what must not be lost use {@link Announcer} (the
 * outbox) instead. While Redis is away only this node's sockets hear; the caller never fails and
 * never waits for other nodes.
 */
@Injectable()
export class Broadcaster {
  constructor(
    private readonly registry: ConnectionRegistry,
    private readonly writer: PacketWriter,
    private readonly bus: NodeBus,
  ) {
    this.bus.subscribe(topic, (emission) => this.emitHere(emission as Emission));
  }

  /** To the audience on all nodes. */
  emit(audience: Audience, event: string, payload: unknown): void {
    const emission: Emission = { audience, event, payload };
    this.emitHere(emission);
    // Lost while Redis is away, by contract: what is sent this way is ephemeral or is found again
    // by `sync`.
    if (this.bus.isShared) this.bus.publish(topic, emission).catch(() => undefined);
  }

  /** To the audience on this node only. */
  emitLocally(audience: Audience, event: string, payload: unknown): void {
    this.emitHere({ audience, event, payload });
  }

  private emitHere({ audience, event, payload }: Emission): void {
    this.writer.write(this.connectionsOf(audience), event, payload);
  }

  private connectionsOf(audience: Audience): Connection[] {
    const found: Connection[] = [];
    for (const userId of audience.userIds ?? []) {
      for (const connection of this.registry.ofUser(userId)) {
        if (connection.id === audience.exceptConnectionId) continue;
        if (audience.conversationId !== undefined && !connection.joined.has(audience.conversationId)) continue;
        found.push(connection);
      }
    }
    return found;
  }
}
