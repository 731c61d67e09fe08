import type { Connection } from './connection.js';

const idsPerRequest = 500;

/**
 * The app's requests that hold for all connections: joined conversations, presence subscriptions,
 * its own status. The server forgets them with the socket, so each new connection repeats them.
 */
export class StandingWishes {
  private readonly joined = new Set<string>();
  private readonly watched = new Set<string>();
  private status: { event: string; payload: unknown } | null = null;

  /** Remembers a request that was granted. */
  note(event: string, payload: unknown): void {
    const { conversationId, userIds = [] } = (payload ?? {}) as { conversationId?: string; userIds?: string[] };
    if (event === 'join-conversation') this.joined.add(conversationId!);
    if (event === 'leave-conversation') this.joined.delete(conversationId!);
    if (event === 'subscribe-presence') for (const userId of userIds) this.watched.add(userId);
    if (event === 'unsubscribe-presence') for (const userId of userIds) this.watched.delete(userId);
    if (event === 'user-online' || event === 'user-offline') this.status = { event, payload };
  }

  /** The user takes part no more. */
  forget(conversationId: string): void {
    this.joined.delete(conversationId);
  }

  /** One after the other: a thousand at once would be above the server's rate. */
  async restore(connection: Connection): Promise<void> {
    if (this.status) await ask(connection, this.status.event, this.status.payload);
    for (const conversationId of [...this.joined]) {
      if (await ask(connection, 'join-conversation', { conversationId })) continue;
      if (!connection.isOver) this.joined.delete(conversationId);
    }
    const userIds = [...this.watched];
    for (let i = 0; i < userIds.length; i += idsPerRequest) {
      await ask(connection, 'subscribe-presence', { userIds: userIds.slice(i, i + idsPerRequest) });
    }
  }
}

/** @returns whether it was granted */
async function ask(connection: Connection, event: string, payload: unknown): Promise<boolean> {
  const answer = await connection.insist(event, payload).catch(() => null);
  return answer !== null;
}
