import { Injectable } from '@nestjs/common';
import type { Connection } from './connection.js';

const none: ReadonlySet<Connection> = new Set();

/**
 * The connections of this node, by socket, by user, and by conversation joined. Knows nothing of
 * other nodes.
 */
@Injectable()
export class ConnectionRegistry {
  private readonly byId = new Map<string, Connection>();
  private readonly byUser = new Map<string, Set<Connection>>();
  private readonly byConversation = new Map<string, Set<Connection>>();

  add(connection: Connection): void {
    this.byId.set(connection.id, connection);
    addTo(this.byUser, connection.userId, connection);
  }

  remove(connection: Connection): void {
    this.byId.delete(connection.id);
    removeFrom(this.byUser, connection.userId, connection);
    for (const conversationId of connection.joined) this.leave(connection, conversationId);
  }

  /**
   * Opts a connection in to a conversation's ephemeral events. A connection that is gone stays out.
   */
  join(connection: Connection, conversationId: string): void {
    if (this.byId.get(connection.id) !== connection) return;
    connection.join(conversationId);
    addTo(this.byConversation, conversationId, connection);
  }

  leave(connection: Connection, conversationId: string): void {
    connection.leave(conversationId);
    removeFrom(this.byConversation, conversationId, connection);
  }

  get(connectionId: string): Connection | undefined {
    return this.byId.get(connectionId);
  }

  all(): IterableIterator<Connection> {
    return this.byId.values();
  }

  ofUser(userId: string): ReadonlySet<Connection> {
    return this.byUser.get(userId) ?? none;
  }

  /** The connections that joined a conversation. */
  inConversation(conversationId: string): ReadonlySet<Connection> {
    return this.byConversation.get(conversationId) ?? none;
  }

  /** Ids of the users with a connection to this node. */
  userIds(): IterableIterator<string> {
    return this.byUser.keys();
  }

  get size(): number {
    return this.byId.size;
  }
}

function addTo(map: Map<string, Set<Connection>>, key: string, connection: Connection): void {
  const set = map.get(key);
  if (set) set.add(connection);
  else map.set(key, new Set([connection]));
}

function removeFrom(map: Map<string, Set<Connection>>, key: string, connection: Connection): void {
  const set = map.get(key);
  if (set?.delete(connection) && set.size === 0) map.delete(key);
}
