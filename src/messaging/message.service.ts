import { Injectable } from '@nestjs/common';
import type { Actor } from '../auth/index.js';
import { ChatError, invalid, type Message } from '../common/index.js';
import type { AppendRow } from './message-draft.js';
import type { SendMessageDto } from './message.dto.js';
import { MessageBudget } from './message.budget.js';
import { MessageCommitter } from './message.committer.js';
import { MessageDrafter } from './message.drafter.js';
import { MessageRepository } from './message.repository.js';

/** What a send is answered with. */
export interface SentMessage {
  message: Message;
  /** True for a retry: the message is the first one, stored before. */
  duplicate: boolean;
}

/**
 * The write path of `send-message`: the gateway and the controller are two doors to {@link send}.
 */
@Injectable()
export class MessageService {
  constructor(
    private readonly budget: MessageBudget,
    private readonly drafter: MessageDrafter,
    private readonly committer: MessageCommitter,
    private readonly messages: MessageRepository,
  ) {}

  /**
   * Appends a message and returns its place in the conversation.
   *
   * Idempotent per (conversation, sender, clientMessageId): a retry gets the first answer. Sends of
   * one socket get their `seq` in the order they arrived. Resolves after commit; delivery follows.
   *
   * @returns message.seq: 1-based, without gaps per conversation; createdAt: UTC, the database's
   *   clock
   * @throws ChatError NOT_FOUND (not a participant) | VALIDATION_FAILED | PAYLOAD_TOO_LARGE |
   *   FORBIDDEN (policy, block) | CONFLICT (clientMessageId reused with other content) |
   *   RATE_LIMITED | UNAVAILABLE | an interceptor's code
   * @fires new-message to all participants
   * @see ADR-0003
   * @since 0.1.0
   */
  async send(actor: Actor, dto: SendMessageDto): Promise<SentMessage> {
    // Each wait costs a turn of promises: there is one where there is something to wait for.
    try {
      const hasBudget = this.budget.take(actor.userId);
      if (hasBudget) await hasBudget;
      const drafted = this.drafter.draft(actor, dto);
      const pending = drafted instanceof Promise ? await drafted : drafted;
      const isOurTurn = actor.turn?.ready;
      if (isOurTurn) await isOurTurn;
      const appended = this.committer.append(pending);
      actor.turn?.release();
      return await this.named(await appended);
    } finally {
      actor.turn?.release();
    }
  }

  /** Gives the repository's facts their names on the wire. */
  private async named(row: AppendRow): Promise<SentMessage> {
    switch (row.outcome) {
      case 'appended':
        return { message: row.message!, duplicate: false };
      case 'duplicate':
        return { message: await this.messages.byId(row.firstId!), duplicate: true };
      case 'conflict':
        throw new ChatError('CONFLICT', { message: 'The clientMessageId was used for another content' });
      case 'blocked':
        throw new ChatError('FORBIDDEN', { message: 'One of the two has blocked the other' });
      case 'bad-reply':
        throw invalid('replyTo', 'must be a message of this conversation');
      case 'bad-mention':
        throw invalid('mentions', 'must be participants of this conversation');
      case 'not-found':
        throw new ChatError('NOT_FOUND');
    }
  }
}
