import { Injectable } from '@nestjs/common';
import type { Actor } from '../auth/index.js';
import { ChatError, Clock } from '../common/index.js';
import { Settings } from '../config/index.js';
import { AccessGate, TypingSource } from '../conversations/index.js';
import { ConnectionRegistry } from '../realtime/index.js';
import { TypingAnnouncer } from './typing.announcer.js';
import { TypingEnder } from './typing.ender.js';
import { LocalTypists } from './local-typists.js';
import { TypingStore } from './typing.store.js';

export interface TypingUsers {
  conversationId: string;
  userIds: string[];
}

/** The verbs of typing. */
@Injectable()
export class TypingService extends TypingSource {
  constructor(
    private readonly store: TypingStore,
    private readonly gate: AccessGate,
    private readonly announcer: TypingAnnouncer,
    private readonly ender: TypingEnder,
    private readonly local: LocalTypists,
    private readonly registry: ConnectionRegistry,
    private readonly clock: Clock,
    private readonly settings: Settings,
  ) {
    super();
  }

  /**
   * Begins, or goes on for another `TYPING_TTL_MS`, which nobody is told again. In groups above
   * `TYPING_MAX_PARTICIPANTS` nobody is told at all.
   *
   * @returns expiresAt ISO 8601, the store's clock
   * @throws ChatError NOT_FOUND (not a participant) | UNAVAILABLE
   * @fires user-typing at the beginning
   */
  async start(actor: Actor, conversationId: string): Promise<{ expiresAt: string }> {
    const { membership } = await this.gate.require(actor, 'read', conversationId);
    if (membership.participants.size > this.settings.typingMaxParticipants) {
      return { expiresAt: new Date(this.clock.now() + this.settings.typingTtlMs).toISOString() };
    }
    const endsAtMs = await this.ender.inOrder(conversationId, actor.userId, () => this.begin(actor, conversationId));
    return { expiresAt: new Date(endsAtMs).toISOString() };
  }

  /** Stopping what has not begun is no error. @throws ChatError NOT_FOUND | UNAVAILABLE */
  async stop(actor: Actor, conversationId: string): Promise<void> {
    await this.gate.require(actor, 'read', conversationId);
    this.local.remove(conversationId, actor.userId);
    await this.ender.end(conversationId, actor.userId, null);
  }

  /**
   * All who type there, as in the events: the actor, too. @throws ChatError NOT_FOUND | UNAVAILABLE
   */
  async usersTyping(actor: Actor, conversationId: string): Promise<TypingUsers> {
    await this.gate.require(actor, 'read', conversationId);
    const typistIds = await this.store.typingIn(conversationId);
    return { conversationId, userIds: await this.announcer.seenBy(actor.userId, typistIds) };
  }

  override async typingIn(conversationId: string, viewerId: string): Promise<string[]> {
    try {
      // Users receive no events about themselves, so nothing would remove them from the list again.
      const others = (await this.store.typingIn(conversationId)).filter((userId) => userId !== viewerId);
      return await this.announcer.seenBy(viewerId, others);
    } catch (error) {
      if (error instanceof ChatError) return [];
      throw error;
    }
  }

  private async begin({ userId, connectionId }: Actor, conversationId: string): Promise<number> {
    // Typing is a socket's; over REST there is no such route.
    const typist = { conversationId, userId, connectionId: connectionId ?? '' };
    this.local.add(typist);
    const { began, endsAtMs, atUs, userIds } = await this.store.start(typist);
    if (began) this.announcer.announce({ conversationId, userId, endsAtMs, atUs, userIds });
    // The socket may have closed while the store was asked; nothing else would end it before its
    // time.
    if (!this.registry.get(typist.connectionId)) this.ender.forget(typist);
    return endsAtMs;
  }
}
