import { Injectable } from '@nestjs/common';
import type { Actor } from '../auth/index.js';
import { decodeCursor, encodeCursor, invalid, pageLimit, type Conversation, type Page } from '../common/index.js';
import { Settings } from '../config/index.js';
import { UserTurns } from '../database/index.js';
import { AccessGate } from './access.gate.js';
import { ConversationChanges } from './conversation.changes.js';
import type { ConversationListDto, CreateConversationDto } from './conversation.dto.js';
import { ConversationFounder } from './conversation.founder.js';
import { ConversationRepository, type ListKey } from './conversation.repository.js';
import { ConversationViews } from './conversation.views.js';
import { hasIdShape } from './id.validator.js';
import { ParticipantRepository } from './participant.repository.js';
import type { UnreadTotals } from './unread.js';

const defaultLimit = 50;

/** A conversation that was asked for, and whether this made it. */
export interface CreatedConversation {
  conversation: Conversation;
  created: boolean;
}

/** Conversations: create, list, read, rename, delete. */
@Injectable()
export class ConversationService {
  constructor(
    private readonly changes: ConversationChanges,
    private readonly conversations: ConversationRepository,
    private readonly founder: ConversationFounder,
    private readonly gate: AccessGate,
    private readonly participants: ParticipantRepository,
    private readonly views: ConversationViews,
    private readonly turns: UserTurns,
    private readonly settings: Settings,
  ) {}

  /**
   * Creates a group the actor owns, or gives the one direct conversation of two users, made at its
   * first asking.
   *
   * A group leaves out who refuses to be added by the actor, or has a block with them (contract,
   * section 10.3).
   *
   * @param dto.participantIds repeats and the actor do not count
   * @returns created: false when the direct conversation was there before
   * @throws ChatError VALIDATION_FAILED (direct: not exactly one other) | CONFLICT (direct with a
   *   title, group too large)
   * @fires conversation-created to all participants
   * @since 0.1.0
   */
  async create(actor: Actor, dto: CreateConversationDto): Promise<CreatedConversation> {
    const others = [...new Set(dto.participantIds)].filter((userId) => userId !== actor.userId);
    const { id, created } =
      dto.kind === 'direct'
        ? await this.founder.openDirect(actor.userId, others, dto.title ?? null)
        : await this.founder.createGroup(actor.userId, others, dto.title ?? null);
    return { conversation: await this.views.one(actor.userId, id), created };
  }

  /** @throws ChatError NOT_FOUND | the policy's code */
  async get(actor: Actor, conversationId: string): Promise<Conversation> {
    await this.gate.require(actor, 'read', conversationId);
    return this.views.one(actor.userId, conversationId);
  }

  /**
   * The actor's conversations, newest activity first. One that is active between two pages moves to
   * the front and is not seen again; none is skipped.
   *
   * @throws ChatError VALIDATION_FAILED (a foreign cursor, a limit above `MAX_PAGE_SIZE`)
   */
  async list(actor: Actor, { cursor, limit: asked, ...filter }: ConversationListDto): Promise<Page<Conversation>> {
    const limit = pageLimit(asked, defaultLimit, this.settings.maxPageSize);
    const found = await this.turns.read(actor.userId, () =>
      this.conversations.page(actor.userId, filter, cursor ? listKeyOf(cursor) : null, limit + 1),
    );
    const shown = found.slice(0, limit);
    const items = await this.views.forUser(
      actor.userId,
      shown.map(({ id }) => id),
    );
    const last = shown.at(-1);
    const isEnd = found.length <= limit || !last;
    return { items, nextCursor: isEnd ? null : encodeCursor([last.updatedAtUs, last.id]) };
  }

  /** What the actor has not read, over all conversations. */
  unread(actor: Actor): Promise<UnreadTotals> {
    return this.turns.read(actor.userId, () => this.conversations.unread(actor.userId));
  }

  /**
   * Ends a group for everybody. From the commit on nobody can read or write it; its messages are
   * removed in steps (`DeletedConversations`).
   *
   * @throws ChatError NOT_FOUND | FORBIDDEN | CONFLICT (a direct conversation)
   * @fires participant-removed to each participant, with their own id
   */
  async delete(actor: Actor, conversationId: string): Promise<void> {
    await this.changes.commitToGroup(actor, conversationId, [], async ({ tx, group, role, announce }) => {
      this.gate.assertAllowed({ userId: actor.userId, verb: 'delete-conversation', conversation: group, role });
      const userIds = await this.participants.removeAll(tx, conversationId);
      const version = await this.conversations.delete(tx, conversationId);
      announce(conversationId, version, { type: 'deleted', userIds, by: actor.userId });
    });
  }

  /**
   * @param title null takes it away
   * @throws ChatError NOT_FOUND | FORBIDDEN | CONFLICT (a direct conversation)
   * @fires conversation-updated to all participants
   */
  async rename(actor: Actor, conversationId: string, title: string | null): Promise<Conversation> {
    await this.changes.commitToGroup(actor, conversationId, [], async ({ tx, group, role, announce }) => {
      this.gate.assertAllowed({ userId: actor.userId, verb: 'rename', conversation: group, role });
      if (group.title === title) return;
      announce(group.id, await this.conversations.rename(tx, group.id, title), { type: 'updated' });
    });
    return this.views.one(actor.userId, conversationId);
  }
}

function listKeyOf(cursor: string): ListKey {
  const [updatedAtUs, id] = decodeCursor(cursor, 2);
  if (!Number.isSafeInteger(updatedAtUs) || !hasIdShape(id)) throw invalid('cursor', 'not a cursor of this list');
  return { updatedAtUs: updatedAtUs as number, id };
}
