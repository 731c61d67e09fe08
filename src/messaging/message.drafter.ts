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

/** Makes of what a client asks to send a message that only needs its place: judged, intercepted, encoded. */
@Injectable()
export class MessageDrafter {
  constructor(
    private readonly gate: AccessGate,
    private readonly types: MessageTypeRegistry,
    private readonly interceptors: MessageInterceptors,
    private readonly settings: Settings,
  ) {}

  /**
   * @throws ChatError NOT_FOUND | VALIDATION_FAILED | PAYLOAD_TOO_LARGE | FORBIDDEN (policy) | an interceptor's code |
   *   UNAVAILABLE
   */
  async draft(actor: Actor, dto: SendMessageDto): Promise<PendingMessage> {
    const type = dto.type ?? 'text';
    let content = dto.content;
    let contentJson = this.types.encode(type, content);
    const mentions = this.mentionsOf(dto);
    await this.gate.require(actor, 'send', dto.conversationId);
    const pending = pendingMessage(actor, dto, type, content, contentJson, mentions);
    if (this.interceptors.isEmpty) return pending;
    content = await this.interceptors.apply(pending, actor);
    contentJson = content === dto.content ? contentJson : this.types.encode(type, content);
    return { ...pending, content, contentJson };
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
  content: Record<string, unknown>,
  contentJson: string,
  mentions: string[],
): PendingMessage {
  const clientMessageId = dto.clientMessageId ?? null;
  const replyTo = dto.replyTo ?? null;
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
    turn: actor.turn ?? null,
  };
}
