import { Injectable } from '@nestjs/common';
import type { Actor } from '../auth/index.js';
import { ChatError, type Message, type ServerEvents } from '../common/index.js';
import { Settings } from '../config/index.js';
import type { SqlRunner } from '../database/index.js';
import { AccessGate } from '../conversations/index.js';
import type { MessageTarget } from './message-change-writer.repository.js';
import { MessageChangeWriter, type AppliedChange } from './message-change-writer.js';
import type { ReactionDto } from './reaction.dto.js';
import { ReactionRepository } from './reaction.repository.js';

/** The payload of `reaction-changed` (contract, section 5). */
export type ReactionChanged = ServerEvents['reaction-changed'];

/**
 * The write paths of `add-reaction` and `remove-reaction`; repeats change nothing and are answered
 * as the first time.
 */
@Injectable()
export class ReactionService {
  constructor(
    private readonly writer: MessageChangeWriter,
    private readonly gate: AccessGate,
    private readonly reactions: ReactionRepository,
    private readonly settings: Settings,
  ) {}

  /**
   * @throws ChatError NOT_FOUND | FORBIDDEN (policy, block) | CONFLICT (deleted message, more than
   *   `MAX_REACTIONS` different emojis) | UNAVAILABLE
   * @fires reaction-changed to all participants
   * @since 0.1.0
   */
  add(actor: Actor, { messageId, emoji }: ReactionDto): Promise<Message> {
    return this.writer.change(actor, messageId, async (tx, target) => {
      this.assertMayReact(actor, target, emoji);
      if (!(await this.reactions.add(tx, target, emoji, actor.userId))) return null;
      return this.applied(tx, target, { userId: actor.userId, emoji, added: true });
    });
  }

  /**
   * Taking away what is not there, also from a deleted message, is no error.
   *
   * @throws ChatError NOT_FOUND | FORBIDDEN (policy, block) | UNAVAILABLE
   * @fires reaction-changed to all participants
   * @since 0.1.0
   */
  remove(actor: Actor, { messageId, emoji }: ReactionDto): Promise<Message> {
    return this.writer.change(actor, messageId, async (tx, target) => {
      this.assertMayTouch(actor, target);
      if (!(await this.reactions.remove(tx, target, emoji, actor.userId))) return null;
      return this.applied(tx, target, { userId: actor.userId, emoji, added: false });
    });
  }

  /** Neither side of a block changes anything of a direct conversation (contract, section 10.4). */
  private assertMayTouch(actor: Actor, { conversationId: id, kind, role, isBlocked }: MessageTarget): void {
    this.gate.assertAllowed({ userId: actor.userId, verb: 'read', conversation: { id, kind }, role });
    if (isBlocked) throw new ChatError('FORBIDDEN', { message: 'One of the two has blocked the other' });
  }

  private assertMayReact(actor: Actor, target: MessageTarget, emoji: string): void {
    const { message } = target;
    this.assertMayTouch(actor, target);
    if (message.deletedAt !== null) throw new ChatError('CONFLICT', { message: 'The message is deleted' });
    const { maxReactions } = this.settings;
    if (Object.hasOwn(message.reactions, emoji) || Object.keys(message.reactions).length < maxReactions) return;
    throw new ChatError('CONFLICT', { message: `A message carries at most ${maxReactions} different emojis` });
  }

  private async applied(
    tx: SqlRunner,
    target: MessageTarget,
    change: Pick<ReactionChanged, 'userId' | 'emoji' | 'added'>,
  ): Promise<AppliedChange> {
    const { conversationId, nextRev: rev } = target;
    const tally = await this.reactions.tally(tx, target.message.id, change.emoji);
    const reactions = { ...target.message.reactions, [change.emoji]: tally };
    if (tally.count === 0) delete reactions[change.emoji];
    const message = await this.reactions.show(tx, target, reactions);
    const payload = { conversationId, messageId: message.id, rev, ...change } satisfies ReactionChanged;
    return { message, event: 'reaction-changed', payload };
  }
}
