import { Injectable } from '@nestjs/common';
import type { Actor } from '../auth/index.js';
import { decodeCursor, encodeCursor, invalid, pageLimit, type Message, type Page } from '../common/index.js';
import { Settings } from '../config/index.js';
import { UserTurns } from '../database/index.js';
import { AccessGate, hasIdShape } from '../conversations/index.js';
import { EverywhereSearch } from './everywhere.search.js';
import type { SearchMessagesDto } from './search.dto.js';
import { SearchRepository } from './search.repository.js';
import type { SearchKey } from './search.sql.js';

const defaultLimit = 50;
// Far beyond any message, well within Postgres' calendar: a made-up cursor must not become an error
// of the database.
const maxTimeMs = 8_640_000_000_000;

/** Finds messages by what they say. */
@Injectable()
export class SearchService {
  constructor(
    private readonly gate: AccessGate,
    private readonly messages: SearchRepository,
    private readonly everywhere: EverywhereSearch,
    private readonly turns: UserTurns,
    private readonly settings: Settings,
  ) {}

  /**
   * Searches texts and captions of what the actor can see: nothing deleted, hidden, expired, from
   * before he joined, or of conversations he has left.
   *
   * @returns newest first
   * @throws ChatError NOT_FOUND (a conversation the actor takes no part in) | VALIDATION_FAILED (a
   *   foreign cursor, a limit above `MAX_PAGE_SIZE`) | UNAVAILABLE
   * @since 0.1.0
   */
  async search(actor: Actor, { q, conversationId, cursor, limit: asked }: SearchMessagesDto): Promise<Page<Message>> {
    const limit = pageLimit(asked, defaultLimit, this.settings.maxPageSize);
    const after = cursor === undefined ? null : keyOf(cursor);
    if (conversationId !== undefined) await this.gate.require(actor, 'read', conversationId);
    const found = await this.turns.slow(actor.userId, () =>
      conversationId === undefined
        ? this.everywhere.find({ userId: actor.userId, q, after, limit: limit + 1 })
        : this.messages.inConversation(actor.userId, q, conversationId, after, limit + 1),
    );
    const items = found.slice(0, limit);
    return { items, nextCursor: found.length > limit ? cursorOf(items.at(-1)!) : null };
  }
}

function cursorOf({ createdAt, conversationId, seq }: Message): string {
  return encodeCursor([Date.parse(createdAt), conversationId, seq]);
}

function keyOf(cursor: string): SearchKey {
  const [createdAtMs, conversationId, seq] = decodeCursor(cursor, 3);
  const isKey = Number.isSafeInteger(createdAtMs) && hasIdShape(conversationId) && Number.isSafeInteger(seq);
  if (!isKey || Math.abs(createdAtMs as number) > maxTimeMs) throw invalid('cursor', 'not a cursor of this list');
  return { createdAtMs: createdAtMs as number, conversationId, seq: seq as number };
}
