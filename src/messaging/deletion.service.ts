import { Injectable } from '@nestjs/common';
import type { Actor } from '../auth/index.js';
import { ChatError } from '../common/index.js';
import { Settings } from '../config/index.js';
import { AccessGate, AccessPolicy, type AccessVerb } from '../conversations/index.js';
import type { DeleteMessageDto } from './deletion.dto.js';
import { messageDeleted, type DeletionScope } from './deletion.event.js';
import { DeletionForMe } from './deletion-for-me.js';
import { DeletionRepository } from './deletion.repository.js';
import type { MessageTarget } from './message-change-writer.repository.js';
import { MessageChangeWriter } from './message-change-writer.js';

/** What `delete-message` is answered with. */
export interface DeletedMessage {
  messageId: string;
  scope: DeletionScope;
}

/**
 * The write path of `delete-message`: the gateway and the controller are two doors to {@link
 * delete}.
 */
@Injectable()
export class DeletionService {
  constructor(
    private readonly writer: MessageChangeWriter,
    private readonly gate: AccessGate,
    private readonly policy: AccessPolicy,
    private readonly deletions: DeletionRepository,
    private readonly forMe: DeletionForMe,
    private readonly settings: Settings,
  ) {}

  /**
   * Deletes a message for everyone (its tombstone keeps id, seq and sender), or hides it from the
   * actor.
   *
   * Idempotent: a repeat is answered as the first time and told to nobody, also after the window.
   *
   * @throws ChatError NOT_FOUND | FORBIDDEN (another's message, policy) | WINDOW_EXPIRED (scope
   *   `everyone`, for those who may not delete any message) | UNAVAILABLE
   * @fires message-deleted to all participants; with scope `me` to the actor's other sockets
   * @since 0.1.0
   */
  async delete(actor: Actor, { messageId, scope: asked }: DeleteMessageDto): Promise<DeletedMessage> {
    const scope = asked ?? 'everyone';
    await (scope === 'me' ? this.forMe.hide(actor, messageId) : this.deleteForEveryone(actor, messageId));
    return { messageId, scope };
  }

  private async deleteForEveryone(actor: Actor, messageId: string): Promise<void> {
    await this.writer.change(actor, messageId, async (tx, target) => {
      this.assertMayDelete(actor, target);
      if (target.message.deletedAt !== null) return null;
      this.assertInTime(actor, target);
      const [buried] = await this.deletions.bury(tx, [target], [messageId], actor.userId);
      const payload = { ...messageDeleted(target.conversationId, buried!, actor.userId) };
      return { message: target.message, event: 'message-deleted', payload };
    });
  }

  private assertMayDelete(actor: Actor, target: MessageTarget): void {
    const isOwn = target.message.senderId === actor.userId;
    if (!isOwn && target.kind === 'direct') throw new ChatError('FORBIDDEN', { message: 'Only the sender may delete' });
    this.gate.assertAllowed(request(actor, isOwn ? 'delete-own' : 'delete-any', target));
  }

  /** The window is for those who may delete their own only. */
  private assertInTime(actor: Actor, target: MessageTarget): void {
    if (target.ageSeconds <= this.settings.deleteWindowSeconds) return;
    const isModerator = target.kind === 'group' && this.policy.decide(request(actor, 'delete-any', target)) === null;
    if (!isModerator) throw new ChatError('WINDOW_EXPIRED');
  }
}

function request(actor: Actor, verb: AccessVerb, { conversationId: id, kind, role }: MessageTarget) {
  return { userId: actor.userId, verb, conversation: { id, kind }, role };
}
