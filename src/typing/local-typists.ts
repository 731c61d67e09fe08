import { Injectable } from '@nestjs/common';
import { Settings } from '../config/index.js';
import { ConnectionRegistry } from '../realtime/index.js';
import type { Typist } from './typing.store.js';

/** Longer than a sweep takes to find an end. */
const marginMs = 2_000;

/**
 * Where this node's sockets may be typing. A send, a removal or a block of a user who types nowhere
 * then needs no call of the store. May hold what has ended; forgets it in time.
 */
@Injectable()
export class LocalTypists {
  /** Connection -> conversation -> when to forget it, milliseconds of this process. */
  private readonly byConnection = new Map<string, Map<string, number>>();

  constructor(
    private readonly registry: ConnectionRegistry,
    private readonly settings: Settings,
  ) {}

  add({ connectionId, conversationId }: Typist): void {
    const conversations = this.byConnection.get(connectionId) ?? new Map<string, number>();
    this.byConnection.set(connectionId, conversations);
    conversations.set(conversationId, performance.now() + this.settings.typingTtlMs + marginMs);
  }

  /** Forgets a user's typing in a conversation. @returns whether there may have been any */
  remove(conversationId: string, userId: string): boolean {
    let wasTyping = false;
    for (const { id } of this.registry.ofUser(userId)) {
      if (this.byConnection.get(id)?.delete(conversationId)) wasTyping = true;
    }
    return wasTyping;
  }

  /** Forgets a connection. @returns where it may have typed */
  drop(connectionId: string): string[] {
    const conversations = [...(this.byConnection.get(connectionId)?.keys() ?? [])];
    this.byConnection.delete(connectionId);
    return conversations;
  }

  /** Where a user may be typing. */
  conversationsOf(userId: string): string[] {
    const found = [...this.registry.ofUser(userId)].flatMap(({ id }) => [...(this.byConnection.get(id)?.keys() ?? [])]);
    return [...new Set(found)];
  }

  forgetEnded(): void {
    const now = performance.now();
    for (const [connectionId, conversations] of this.byConnection) {
      for (const [conversationId, forgetAt] of conversations) if (forgetAt < now) conversations.delete(conversationId);
      if (conversations.size === 0) this.byConnection.delete(connectionId);
    }
  }
}
