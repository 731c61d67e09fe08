import { Injectable } from '@nestjs/common';
import type { Actor } from '../auth/index.js';
import { ChatError } from '../common/index.js';
import { AccessGate, ReceiptVisibility } from '../conversations/index.js';
import { UserTurns } from '../database/index.js';
import type { MessageStatus, StatusMark } from './message-status.js';
import { MessageStatusRepository, type MessageRecipient } from './message-status.repository.js';

/** Says how far a message has come. */
@Injectable()
export class MessageStatusService {
  constructor(
    private readonly repository: MessageStatusRepository,
    private readonly gate: AccessGate,
    private readonly visibility: ReceiptVisibility,
    private readonly turns: UserTurns,
  ) {}

  /**
   * Any participant who can see the message may ask, not only its sender. A deleted message still
   * answers.
   *
   * A recipient who hides their read cursor counts as delivered, and an asker who hides their own
   * sees nobody else's. A recipient who has a block with the asker does not count.
   *
   * @throws ChatError NOT_FOUND (no such message, or the actor may not see it) | the policy's code
   */
  async get(actor: Actor, messageId: string): Promise<MessageStatus> {
    const receipts = await this.turns.read(actor.userId, () => this.repository.read(actor.userId, messageId));
    if (!receipts) throw new ChatError('NOT_FOUND');
    await this.gate.require(actor, 'read', receipts.conversationId);
    const recipients = await this.withoutWithheld(actor.userId, receipts.recipients);
    const deliveredTo = marksOf(recipients, ({ deliveredAt }) => deliveredAt);
    const readBy = marksOf(recipients, ({ readAt }) => readAt);
    const status = leastOf(recipients.length, deliveredTo.length, readBy.length);
    return { messageId, status, deliveredTo, readBy, participantCount: receipts.participantCount };
  }

  /** A user whose receipts are withheld as a whole is no recipient for this viewer. */
  private async withoutWithheld(viewerId: string, recipients: MessageRecipient[]): Promise<MessageRecipient[]> {
    const others = recipients.map(({ userId }) => userId).filter((userId) => userId !== viewerId);
    const withheld = await this.visibility.withheldFrom(viewerId, others);
    if (withheld.size === 0) return recipients;
    return recipients
      .filter(({ userId }) => withheld.get(userId) !== 'both')
      .map((one) => (withheld.has(one.userId) ? { ...one, readAt: null } : one));
  }
}

function marksOf(recipients: MessageRecipient[], timeOf: (one: MessageRecipient) => Date | null): StatusMark[] {
  return recipients
    .flatMap((one) => {
      const at = timeOf(one);
      return at === null ? [] : [{ userId: one.userId, at: at.toISOString() }];
    })
    .sort((a, b) => compare(a.at, b.at) || compare(a.userId, b.userId));
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}

function leastOf(recipients: number, delivered: number, read: number): MessageStatus['status'] {
  if (recipients === 0 || delivered < recipients) return 'sent';
  return read < recipients ? 'delivered' : 'read';
}
