import { Injectable, Optional } from '@nestjs/common';
import type { Actor } from '../auth/index.js';
import { ChatError, type Conversation } from '../common/index.js';
import { UserTurns } from '../database/index.js';
import { ConnectionRegistry, type Connection } from '../realtime/index.js';
import { AccessGate } from './access.gate.js';
import { ConversationViews } from './conversation.views.js';
import { MembershipEvents } from './membership.events.js';
import { SilentTypingSource, TypingSource } from './typing.source.js';

/** What a socket learns on joining. */
export interface JoinedConversation {
  conversation: Conversation;
  /** User ids. */
  typing: string[];
}

/**
 * Opts sockets in to a conversation's ephemeral events, and out. Messages come to participants
 * joined or not.
 */
@Injectable()
export class JoinService {
  private readonly typing: TypingSource;

  constructor(
    private readonly gate: AccessGate,
    private readonly registry: ConnectionRegistry,
    private readonly views: ConversationViews,
    private readonly events: MembershipEvents,
    private readonly turns: UserTurns,
    @Optional() typing?: TypingSource,
  ) {
    this.typing = typing ?? new SilentTypingSource();
  }

  /**
   * Membership is read again once the socket has joined: a removal that commits before is seen by
   * that, one that commits later finds the socket and puts it out.
   *
   * @throws ChatError NOT_FOUND | the policy's code
   */
  async join(actor: Actor, conversationId: string): Promise<JoinedConversation> {
    await this.gate.require(actor, 'read', conversationId);
    const connection = this.connectionOf(actor);
    this.registry.join(connection, conversationId);
    try {
      const conversation = await this.turns.read(actor.userId, () => this.views.one(actor.userId, conversationId));
      return { conversation, typing: await this.typing.typingIn(conversationId, actor.userId) };
    } catch (error) {
      this.registry.leave(connection, conversationId);
      throw error;
    }
  }

  /** Repeating it is no error. @throws ChatError NOT_FOUND */
  async leave(actor: Actor, conversationId: string): Promise<{ conversationId: string }> {
    await this.gate.require(actor, 'read', conversationId);
    this.registry.leave(this.connectionOf(actor), conversationId);
    this.events.tellLeft(actor, conversationId);
    return { conversationId };
  }

  private connectionOf(actor: Actor): Connection {
    const connection = actor.connectionId === null ? undefined : this.registry.get(actor.connectionId);
    // The socket has gone while its event was on the way; nobody hears the answer.
    if (!connection) throw new ChatError('UNAVAILABLE', { message: 'The connection is gone' });
    return connection;
  }
}
