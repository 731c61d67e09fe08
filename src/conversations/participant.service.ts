import { Injectable } from '@nestjs/common';
import type { Actor } from '../auth/index.js';
import {
  ChatError,
  decodeCursor,
  encodeCursor,
  invalid,
  pageLimit,
  type Conversation,
  type Page,
  type Participant,
  type Role,
} from '../common/index.js';
import { Settings } from '../config/index.js';
import { AccessGate } from './access.gate.js';
import type { AccessVerb } from './access.policy.js';
import { ConversationChanges, type GroupScope } from './conversation.changes.js';
import { ConversationRepository } from './conversation.repository.js';
import { GroupConsentRepository } from './group-consent.repository.js';
import { ConversationViews } from './conversation.views.js';
import type { ConversationPageDto } from './conversation.dto.js';
import { isUserId } from './id.validator.js';
import { ParticipantPageRepository, type ParticipantKey } from './participant-page.repository.js';
import { ParticipantRepository } from './participant.repository.js';

const defaultLimit = 50;

/**
 * Who takes part in a group, and as what. A group always has its owner, whatever the policy allows.
 */
@Injectable()
export class ParticipantService {
  constructor(
    private readonly changes: ConversationChanges,
    private readonly conversations: ConversationRepository,
    private readonly participants: ParticipantRepository,
    private readonly pages: ParticipantPageRepository,
    private readonly consents: GroupConsentRepository,
    private readonly gate: AccessGate,
    private readonly views: ConversationViews,
    private readonly settings: Settings,
  ) {}

  /**
   * Participants, by role and time of joining, with the cursors that the actor may see.
   *
   * @throws ChatError NOT_FOUND | VALIDATION_FAILED (a foreign cursor, a limit above
   *   `MAX_PAGE_SIZE`)
   */
  async list(
    actor: Actor,
    conversationId: string,
    { cursor, limit: asked }: ConversationPageDto,
  ): Promise<Page<Participant>> {
    const limit = pageLimit(asked, defaultLimit, this.settings.maxPageSize);
    const after = cursor === undefined ? null : keyOf(cursor);
    await this.gate.require(actor, 'read', conversationId);
    const found = await this.pages.page(conversationId, after, limit + 1);
    const shown = found.slice(0, limit);
    const items = await this.views.participantsFor(
      actor.userId,
      shown.map(({ participant }) => participant),
    );
    if (found.length <= limit) return { items, nextCursor: null };
    const { rank, joinedAtUs, userId } = shown.at(-1)!.key;
    return { items, nextCursor: encodeCursor([rank, joinedAtUs, userId]) };
  }

  /**
   * Adds members, who read what comes from now on. Who takes part already stays as they are; who
   * has left starts anew. Left out without an error: who refuses to be added by the actor, or has a
   * block with them (contract, section 10.3).
   *
   * @param userIds need not be known here yet
   * @throws ChatError NOT_FOUND | FORBIDDEN | CONFLICT (a full group, a direct conversation) |
   *   VALIDATION_FAILED
   * @fires conversation-created to the newcomers, participant-added to all participants
   */
  async add(actor: Actor, conversationId: string, userIds: string[]): Promise<Conversation> {
    if (userIds.length > this.settings.maxUserIds) throw invalid('userIds', `at most ${this.settings.maxUserIds}`);
    const wanted = [...new Set(userIds)];
    await this.changes.commitToGroup(actor, conversationId, wanted, async (scope) => {
      const { group, role } = scope;
      this.gate.assertAllowed({ userId: actor.userId, verb: 'add-participants', conversation: group, role });
      const strangerIds = wanted.filter((userId) => !group.roles.has(userId));
      const newcomerIds = await this.consents.consenting(scope.tx, actor.userId, strangerIds);
      if (newcomerIds.length > 0) await this.insert(actor, scope, newcomerIds);
    });
    return this.views.one(actor.userId, conversationId);
  }

  /**
   * Changes a participant's role; making another the owner hands ownership over, and the old owner
   * becomes an admin.
   *
   * @throws ChatError NOT_FOUND | FORBIDDEN | CONFLICT (the owner would be none, a direct
   *   conversation)
   * @fires conversation-updated to all participants
   */
  async changeRole(actor: Actor, conversationId: string, userId: string, newRole: Role): Promise<Participant> {
    const changed = await this.changes.commitToGroup(actor, conversationId, [userId], async (scope) => {
      const { tx, group, announce } = scope;
      const role = this.judge(actor, scope, 'change-role', { userId, newRole });
      if (role === newRole) return this.participants.read(tx, group.id, userId);
      if (role === 'owner') throw ownerMustStay();
      if (newRole === 'owner') await this.participants.demoteOwner(tx, group.id);
      await this.participants.setRole(tx, group.id, userId, newRole);
      announce(group.id, await this.conversations.bump(tx, group.id, 0), { type: 'updated' });
      return this.participants.read(tx, group.id, userId);
    });
    const [shown] = await this.views.participantsFor(actor.userId, [changed]);
    return shown!;
  }

  /**
   * Removes a participant, or lets the actor leave. The owner leaves last, or hands over first.
   *
   * @throws ChatError NOT_FOUND | FORBIDDEN | CONFLICT (the owner, a direct conversation)
   * @fires participant-removed to all participants and to who was removed
   */
  async remove(actor: Actor, conversationId: string, userId: string): Promise<void> {
    await this.changes.commitToGroup(actor, conversationId, [userId], async (scope) => {
      const { tx, group, announce } = scope;
      const role = this.judge(actor, scope, 'remove-participant', { userId });
      if (role === 'owner' && group.participantCount > 1) throw ownerMustStay();
      await this.participants.remove(tx, group.id, userId);
      const version = await this.conversations.bump(tx, group.id, -1);
      announce(group.id, version, { type: 'removed', userId, by: actor.userId });
    });
  }

  private async insert(actor: Actor, { tx, group, announce }: GroupScope, userIds: string[]): Promise<void> {
    const { maxGroupSize } = this.settings;
    if (group.participantCount + userIds.length > maxGroupSize) {
      throw new ChatError('CONFLICT', { message: `A group has at most ${maxGroupSize} participants` });
    }
    await this.participants.add(tx, group.id, group, new Map(userIds.map((userId) => [userId, 'member'])));
    const version = await this.conversations.bump(tx, group.id, userIds.length);
    announce(group.id, version, { type: 'added', userIds, role: 'member', by: actor.userId });
  }

  /** @returns the target's present role */
  private judge(
    actor: Actor,
    { group, role }: GroupScope,
    verb: AccessVerb,
    target: { userId: string; newRole?: Role },
  ): Role {
    const targetRole = group.roles.get(target.userId);
    if (!targetRole) throw new ChatError('NOT_FOUND');
    const conversation = { id: group.id, kind: group.kind };
    this.gate.assertAllowed({
      userId: actor.userId,
      verb,
      conversation,
      role,
      target: { ...target, role: targetRole },
    });
    return targetRole;
  }
}

function ownerMustStay(): ChatError {
  return new ChatError('CONFLICT', { message: 'The owner hands the group over first, or leaves last' });
}

function keyOf(cursor: string): ParticipantKey {
  const [rank, joinedAtUs, userId] = decodeCursor(cursor, 3);
  const isKey =
    isSmallInteger(rank) && Number.isSafeInteger(joinedAtUs) && typeof userId === 'string' && isUserId(userId);
  if (!isKey) throw invalid('cursor', 'not a cursor of this list');
  return { rank: rank as number, joinedAtUs: joinedAtUs as number, userId };
}

const isSmallInteger = (value: unknown): boolean => Number.isInteger(value) && Math.abs(value as number) < 10;
