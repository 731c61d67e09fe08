import { Injectable } from '@nestjs/common';
import type { Actor } from '../auth/index.js';
import { invalid, pageLimit } from '../common/index.js';
import { Settings } from '../config/index.js';
import { UserTurns } from '../database/index.js';
import { AccessGate } from '../conversations/index.js';
import type { GetMessagesDto } from './message.dto.js';
import type { MessagePage } from './message-page.js';
import { MessageRepository } from './message.repository.js';

const defaultLimit = 50;

/** Reads a conversation's history in pages. */
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
}
