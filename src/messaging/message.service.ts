import { Injectable } from '@nestjs/common';
import type { Actor } from '../auth/index.js';
import { ChatError, invalid, newId, type Message } from '../common/index.js';
import { AccessGate } from '../conversations/index.js';
import { fingerprint } from './fingerprint.js';
import type { AppendRow, PendingMessage } from './message-draft.js';
import type { SendMessageDto } from './message.dto.js';
import { MessageBudget } from './message.budget.js';
import { MessageCommitter } from './message.committer.js';
import { MessageInterceptors } from './message.interceptor.js';
import { MessageRepository } from './message.repository.js';
import { MessageTypeRegistry } from './message.type.js';

/** What a send is answered with. */
export interface SentMessage {
  message: Message;
  /** True for a retry: the message is the first one, stored before. */
  duplicate: boolean;
}

/** The write path of `send-message`: the gateway and the controller are two doors to {@link send}. */
@Injectable()
export class MessageService {
  constructor(
    private readonly gate: AccessGate,
    private readonly types: MessageTypeRegistry,
    private readonly interceptors: MessageInterceptors,
    private readonly budget: MessageBudget,
    private readonly committer: MessageCommitter,
    private readonly messages: MessageRepository,
  ) {}

  /**
   * Appends a message and returns its place in the conversation.
   *
   * Idempotent per (conversation, sender, clientMessageId): a retry gets the first answer. Sends of one socket get their
   * `seq` in the order they arrived. Resolves after commit; delivery follows.
   *
   * @returns message.seq: 1-based, without gaps per conversation; createdAt: UTC, the database's clock
   * @throws ChatError NOT_FOUND (not a participant) | VALIDATION_FAILED | PAYLOAD_TOO_LARGE | FORBIDDEN (policy, block) |
   *   CONFLICT (clientMessageId reused with other content) | RATE_LIMITED | UNAVAILABLE | an interceptor's code
   * @fires new-message to all participants
   * @see ADR-0003
   * @since 0.1.0
   */
  async send(actor: Actor, dto: SendMessageDto): Promise<SentMessage> {
    try {
      const pending = await this.prepare(actor, dto);
      const isOurTurn = actor.turn?.ready;
      if (isOurTurn) await isOurTurn;
      const appended = this.committer.append(pending);
      actor.turn?.release();
      return await this.named(await appended);
    } finally {
      actor.turn?.release();
    }
  }

  private async prepare(actor: Actor, dto: SendMessageDto): Promise<PendingMessage> {
    const hasBudget = this.budget.take(actor.userId);
    if (hasBudget) await hasBudget;
    const type = dto.type ?? 'text';
    let content = dto.content;
    let contentJson = this.types.encode(type, content);
    await this.gate.require(actor, 'send', dto.conversationId);
    const pending = pendingMessage(actor, dto, type, content, contentJson);
    if (this.interceptors.isEmpty) return pending;
    content = await this.interceptors.apply(pending, actor);
    contentJson = content === dto.content ? contentJson : this.types.encode(type, content);
    return { ...pending, content, contentJson };
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

function pendingMessage(
  actor: Actor,
  dto: SendMessageDto,
  type: string,
  content: Record<string, unknown>,
  contentJson: string,
): PendingMessage {
  const clientMessageId = dto.clientMessageId ?? null;
  const replyTo = dto.replyTo ?? null;
  const mentions = dto.mentions ?? [];
  const expiresInSeconds = dto.expiresInSeconds ?? null;
  return {
    id: newId(),
    conversationId: dto.conversationId,
    senderId: actor.userId,
    clientMessageId,
    fingerprint: clientMessageId === null ? null : fingerprint([type, content, replyTo, mentions, expiresInSeconds]),
    type,
    content,
    contentJson,
    replyTo,
    mentions,
    expiresInSeconds,
    connectionId: actor.connectionId,
  };
}
