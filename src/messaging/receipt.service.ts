import { Injectable } from '@nestjs/common';
import type { Actor } from '../auth/index.js';
import { ChatError, invalid } from '../common/index.js';
import { Settings } from '../config/index.js';
import { AccessGate, ReceiptListeners } from '../conversations/index.js';
import type { MarkDeliveredDto, MarkReadDto } from './receipt.dto.js';
import type { ReceiptMark, ReceiptRow } from './receipt.js';
import { ReceiptRepository } from './receipt.repository.js';
import { ReceiptWriter } from './receipt.writer.js';

/** How far messages have reached a user's devices. */
export interface DeliveredCursor {
  conversationId: string;
  deliveredSeq: number;
}

/** How far a user has read. */
export interface ReadCursor {
  conversationId: string;
  readSeq: number;
}

/** The write path of `mark-delivered` and `mark-read`. */
@Injectable()
export class ReceiptService {
  constructor(
    private readonly gate: AccessGate,
    private readonly repository: ReceiptRepository,
    private readonly writer: ReceiptWriter,
    private readonly listeners: ReceiptListeners,
    private readonly settings: Settings,
  ) {}

  /**
   * Says that everything up to `seq` has reached the acting device. Durable before it resolves.
   *
   * @returns the user's cursor, over all devices: never below an earlier answer's
   * @throws ChatError NOT_FOUND (not a participant) | VALIDATION_FAILED (above the conversation's
   *   last) | UNAVAILABLE
   * @fires message-delivered when the user's cursor moved
   * @since 0.1.0
   */
  async markDelivered(actor: Actor, { conversationId, seq, rev }: MarkDeliveredDto): Promise<DeliveredCursor> {
    await this.gate.require(actor, 'read', conversationId);
    const mark = { conversationId, deliveredSeq: seq, ...(rev == null ? {} : { deliveredRev: rev }) };
    const { deliveredSeq } = await this.advance(actor, mark);
    await this.listeners.tellDelivered(actor, conversationId, seq, rev ?? null);
    return { conversationId, deliveredSeq };
  }

  /**
   * Says that a person has read everything up to a message; implies that it was delivered. Durable
   * before it resolves.
   *
   * @param dto exactly one of `seq`, `messageId`, `messageIds` (the highest counts; at most
   *   `MAX_USER_IDS`)
   * @returns the user's cursor, over all devices: never below an earlier answer's
   * @throws ChatError NOT_FOUND (not a participant; a message that is not there, of another
   *   conversation, or not to be seen) | VALIDATION_FAILED | UNAVAILABLE
   * @fires messages-read, and message-delivered, when the user's cursors moved
   * @since 0.1.0
   */
  async markRead(actor: Actor, dto: MarkReadDto): Promise<ReadCursor> {
    const { conversationId } = dto;
    const messageIds = this.messageIdsOf(dto);
    await this.gate.require(actor, 'read', conversationId);
    const seq = messageIds === null ? dto.seq! : await this.seqOf(actor, conversationId, messageIds);
    const { readSeq } = await this.advance(actor, { conversationId, readSeq: seq });
    await this.listeners.tellDelivered(actor, conversationId, seq, null);
    return { conversationId, readSeq };
  }

  /** @returns null when the place is given by seq */
  private messageIdsOf({ seq, messageId, messageIds }: MarkReadDto): string[] | null {
    const given = [seq, messageId, messageIds].filter((one) => one != null);
    if (given.length !== 1) throw invalid('seq', 'exactly one of seq, messageId and messageIds');
    const { maxUserIds } = this.settings;
    if (messageIds && messageIds.length > maxUserIds) throw invalid('messageIds', `at most ${maxUserIds}`);
    if (messageIds) return [...new Set(messageIds)];
    return messageId == null ? null : [messageId];
  }

  private async seqOf(actor: Actor, conversationId: string, messageIds: string[]): Promise<number> {
    const seq = await this.repository.highestSeq(actor.userId, conversationId, messageIds);
    if (seq === null) throw new ChatError('NOT_FOUND');
    return seq;
  }

  /** Gives the repository's facts their names on the wire. */
  private async advance({ userId, connectionId }: Actor, mark: Omit<ReceiptMark, 'userId'>): Promise<ReceiptRow> {
    const row = await this.writer.advance({ ...mark, userId, connectionId });
    switch (row.outcome) {
      case 'accepted':
        return row;
      case 'above-last-seq':
        throw invalid('seq', 'is above the last seq of the conversation');
      case 'above-last-rev':
        throw invalid('rev', 'is above the last rev of the conversation');
      case 'not-found':
        throw new ChatError('NOT_FOUND');
    }
  }
}
