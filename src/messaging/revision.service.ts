import { Injectable } from '@nestjs/common';
import type { Actor } from '../auth/index.js';
import { decodeCursor, encodeCursor, invalid, pageLimit, type Page } from '../common/index.js';
import { Settings } from '../config/index.js';
import { AccessGate, type ConversationPageDto } from '../conversations/index.js';
import { MessageChangeWriter } from './message-change-writer.js';
import { RevisionRepository } from './revision.repository.js';
import type { Revision } from './revision.js';

const defaultLimit = 50;

/** What messages said before they were edited. */
@Injectable()
export class RevisionService {
  constructor(
    private readonly writer: MessageChangeWriter,
    private readonly gate: AccessGate,
    private readonly revisions: RevisionRepository,
    private readonly settings: Settings,
  ) {}

  /**
   * For participants who can see the message.
   *
   * @returns newest first; without the present content; nothing for a deleted message
   * @throws ChatError NOT_FOUND | VALIDATION_FAILED (a foreign cursor, a limit above
   *   `MAX_PAGE_SIZE`)
   */
  async list(actor: Actor, messageId: string, { cursor, limit: asked }: ConversationPageDto): Promise<Page<Revision>> {
    const limit = pageLimit(asked, defaultLimit, this.settings.maxPageSize);
    const belowRev = cursor === undefined ? Number.MAX_SAFE_INTEGER : revOf(cursor);
    const { conversationId: id, kind, role } = await this.writer.target(actor, messageId);
    this.gate.assertAllowed({ userId: actor.userId, verb: 'read', conversation: { id, kind }, role });
    const found = await this.revisions.page(messageId, belowRev, limit + 1);
    const items = found.slice(0, limit);
    return { items, nextCursor: found.length > limit ? encodeCursor([items.at(-1)!.rev]) : null };
  }
}

function revOf(cursor: string): number {
  const [rev] = decodeCursor(cursor, 1);
  if (!Number.isSafeInteger(rev)) throw invalid('cursor', 'not a cursor of this list');
  return rev as number;
}
