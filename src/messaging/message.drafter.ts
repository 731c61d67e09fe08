import { Injectable } from '@nestjs/common';
import type { Actor } from '../auth/index.js';
import { invalid, newId } from '../common/index.js';
import { Settings } from '../config/index.js';
import { AccessGate } from '../conversations/index.js';
import { fingerprint } from './fingerprint.js';
import type { PendingMessage } from './message-draft.js';
import type { SendMessageDto } from './message.dto.js';
import { MessageInterceptors } from './message.interceptor.js';
import { MessageTypeRegistry } from './message.type.js';

/**
 * Makes of what a client asks to send a message that only needs its place: judged, intercepted,
 * encoded.
 */
@Injectable()
export class MessageDrafter {
  constructor(
    private readonly gate: AccessGate,
    private readonly types: MessageTypeRegistry,
    private readonly interceptors: MessageInterceptors,
    private readonly settings: Settings,
  ) {}

  /**
   * @returns a promise only where membership is not in memory or an interceptor is asked
   * @throws ChatError NOT_FOUND | VALIDATION_FAILED | PAYLOAD_TOO_LARGE | FORBIDDEN (policy) | an
   *   interceptor's code | UNAVAILABLE
   */
  draft(actor: Actor, dto: SendMessageDto): PendingMessage | Promise<PendingMessage> {
    const type = dto.type ?? 'text';
    const pending = pendingMessage(actor, dto, type, this.types.encode(type, dto.content), this.mentionsOf(dto));
    const standing = this.gate.admit(actor, 'send', dto.conversationId);
    const isSettled = this.interceptors.isEmpty && !(standing instanceof Promise);
    return isSettled ? pending : this.intercepted(standing, pending, actor);
  }

  private async intercepted(standing: unknown, pending: PendingMessage, actor: Actor): Promise<PendingMessage> {
    await standing;
    if (this.interceptors.isEmpty) return pending;
    const content = await this.interceptors.apply(pending, actor);
    if (content === pending.content) return pending;
    return { ...pending, content, contentJson: this.types.encode(pending.type, content) };
  }

  /** Each once: a name that stands twice in a text is mentioned once. */
  private mentionsOf({ mentions }: SendMessageDto): string[] {
    if (!mentions || mentions.length === 0) return [];
    const { maxMentions } = this.settings;
    if (mentions.length > maxMentions) throw invalid('mentions', `at most ${maxMentions}`);
    return [...new Set(mentions)];
  }
}

function pendingMessage(
  actor: Actor,
  dto: SendMessageDto,
  type: string,
  contentJson: string,
  mentions: string[],
): PendingMessage {
  const { content } = dto;
  const clientMessageId = dto.clientMessageId ?? null;
  const replyTo = dto.replyTo ?? null;
  const expiresInSeconds = dto.expiresInSeconds ?? null;
  return {
    id: newId(),
    conversationId: dto.conversationId,
    senderId: actor.userId,
    clientMessageId,
    fingerprint:
      clientMessageId === null ? null : fingerprint([type, content, replyTo, inOrder(mentions), expiresInSeconds]),
    type,
    content,
    contentJson,
    replyTo,
    mentions,
    expiresInSeconds,
    connectionId: actor.connectionId,
    turn: actor.turn ?? null,
  };
}

/** A client of a language with unordered sets may change the order between tries. */
function inOrder(mentions: string[]): string[] {
  return mentions.length < 2 ? mentions : [...mentions].sort();
}
