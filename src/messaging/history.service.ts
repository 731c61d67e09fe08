import { Injectable } from '@nestjs/common';
import type { Actor } from '../auth/index.js';
import { ChatError, invalid, pageLimit, type Message } from '../common/index.js';
import { Settings } from '../config/index.js';
import { UserTurns } from '../database/index.js';
import { AccessGate } from '../conversations/index.js';
import type { GetMessagesDto } from './message.dto.js';
import type { MessagePage } from './message-page.js';
import { MessageRepository } from './message.repository.js';

const defaultLimit = 50;

/** Reads a conversation's history in pages, and single messages. */
@Injectable()
export class HistoryService {
  constructor(
    private readonly gate: AccessGate,
    private readonly messages: MessageRepository,
    private readonly turns: UserTurns,
    private readonly settings: Settings,
  ) {}

  /**
   * @returns ascending by seq; without a cursor the newest
   * @throws ChatError NOT_FOUND | VALIDATION_FAILED (both cursors, or a limit above
   *   `MAX_PAGE_SIZE`)
   */
  async page(actor: Actor, dto: GetMessagesDto): Promise<MessagePage> {
    const limit = pageLimit(dto.limit, defaultLimit, this.settings.maxPageSize);
    if (dto.beforeSeq != null && dto.afterSeq != null) throw invalid('afterSeq', 'not together with beforeSeq');
    await this.gate.require(actor, 'read', dto.conversationId);
    const from = {
      ...(dto.beforeSeq == null ? {} : { beforeSeq: dto.beforeSeq }),
      ...(dto.afterSeq == null ? {} : { afterSeq: dto.afterSeq }),
    };
    return this.turns.read(actor.userId, () => this.messages.page(actor.userId, dto.conversationId, from, limit));
  }

  /** @throws ChatError NOT_FOUND (not the actor's to see, or no such message) */
  async get(actor: Actor, messageId: string): Promise<Message> {
    const message = await this.messages.visible(actor.userId, messageId);
    if (!message) throw new ChatError('NOT_FOUND');
    await this.gate.require(actor, 'read', message.conversationId);
    return message;
  }
}
