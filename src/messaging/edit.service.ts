import { Injectable } from '@nestjs/common';
import type { Actor } from '../auth/index.js';
import { ChatError, type Message } from '../common/index.js';
import { Settings } from '../config/index.js';
import { AccessGate } from '../conversations/index.js';
import type { EditMessageDto } from './edit.dto.js';
import { EditRepository } from './edit.repository.js';
import type { MessageTarget } from './message-change-writer.repository.js';
import { MessageChangeWriter } from './message-change-writer.js';
import { MessageInterceptors } from './message.interceptor.js';
import { MessageTypeRegistry } from './message.type.js';

/**
 * The write path of `edit-message`: the gateway and the controller are two doors to {@link edit}.
 */
@Injectable()
export class EditService {
  constructor(
    private readonly writer: MessageChangeWriter,
    private readonly gate: AccessGate,
    private readonly types: MessageTypeRegistry,
    private readonly interceptors: MessageInterceptors,
    private readonly edits: EditRepository,
    private readonly settings: Settings,
  ) {}

  /**
   * Replaces a message's content; what it was before is kept as a revision. Type, mentions and
   * replyTo stay.
   *
   * Whether it may is judged twice: before the content is looked at, and again with the
   * conversation locked, since a deletion, another edit or the end of the window may come in
   * between.
   *
   * @throws ChatError NOT_FOUND | FORBIDDEN (another's message, policy, block) | WINDOW_EXPIRED
   *   (also: deleted) | CONFLICT (another rev than expected) | VALIDATION_FAILED |
   *   PAYLOAD_TOO_LARGE | an interceptor's code | UNAVAILABLE
   * @fires message-edited to all participants
   * @since 0.1.0
   */
  async edit(actor: Actor, dto: EditMessageDto): Promise<Message> {
    const target = await this.writer.target(actor, dto.messageId);
    this.assertEditable(actor, target, dto.expectedRev ?? null);
    const contentJson = await this.judgedContent(actor, target.message, dto.content);
    return this.writer.change(actor, dto.messageId, async (tx, current) => {
      this.assertEditable(actor, current, dto.expectedRev ?? null);
      const message = await this.edits.edit(tx, dto.messageId, current.nextRev, contentJson);
      return { message, event: 'message-edited', payload: message };
    });
  }

  private assertEditable(actor: Actor, target: MessageTarget, expectedRev: number | null): void {
    const { message, conversationId: id, kind, role } = target;
    if (message.senderId !== actor.userId) throw new ChatError('FORBIDDEN', { message: 'Only the sender may edit' });
    this.gate.assertAllowed({ userId: actor.userId, verb: 'edit', conversation: { id, kind }, role });
    if (target.isBlocked) throw new ChatError('FORBIDDEN', { message: 'One of the two has blocked the other' });
    if (message.deletedAt !== null || target.ageSeconds > this.settings.editWindowSeconds) {
      throw new ChatError('WINDOW_EXPIRED');
    }
    if (expectedRev !== null && expectedRev !== message.rev) {
      throw new ChatError('CONFLICT', { message: 'The message has another rev' });
    }
  }

  private async judgedContent(actor: Actor, message: Message, proposed: Record<string, unknown>): Promise<string> {
    const contentJson = this.types.encode(message.type, proposed);
    if (this.interceptors.isEmpty) return contentJson;
    const { id: messageId, conversationId, senderId, type, replyTo, mentions } = message;
    const draft = { messageId, conversationId, senderId, type, replyTo, mentions, content: proposed };
    const content = await this.interceptors.apply(draft, actor);
    return content === proposed ? contentJson : this.types.encode(type, content);
  }
}
