import { Injectable } from '@nestjs/common';
import { ChatError, invalid, newId, type Role } from '../common/index.js';
import { Settings } from '../config/index.js';
import { ConversationChanges, directIsFixed, type ChangeScope } from './conversation.changes.js';
import { ConversationRepository, type NewConversation } from './conversation.repository.js';
import { directKeyOf } from './direct-key.js';
import { GroupConsentRepository } from './group-consent.repository.js';
import { NewConversationsRepository } from './new-conversations.repository.js';
import { ParticipantRepository } from './participant.repository.js';

/** A conversation that was asked for, and whether this made it. */
export interface Founded {
  id: string;
  created: boolean;
}

/**
 * Makes conversations, each with its first participants and its announcement in one transaction.
 */
@Injectable()
export class ConversationFounder {
  constructor(
    private readonly changes: ConversationChanges,
    private readonly conversations: ConversationRepository,
    private readonly participants: ParticipantRepository,
    private readonly consents: GroupConsentRepository,
    private readonly created: NewConversationsRepository,
    private readonly settings: Settings,
  ) {}

  /**
   * The direct conversation of a user and the one other, made at its first asking; also where one
   * has blocked the other. The user has accepted the other by it.
   *
   * @param others must be one
   * @param title must be null
   * @throws ChatError VALIDATION_FAILED | CONFLICT | RATE_LIMITED (`NEW_CONVERSATIONS_PER_DAY`)
   */
  async openDirect(userId: string, others: string[], title: string | null): Promise<Founded> {
    const [otherId] = others;
    if (otherId === undefined || others.length > 1) throw invalid('participantIds', 'must name exactly one other user');
    if (title !== null) throw directIsFixed();
    return this.changes.commit(userId, (scope) => this.findOrInsert(scope, userId, otherId));
  }

  /**
   * A new group the user owns, without those who refuse to be added by them. The user has accepted
   * all who are in it.
   * @throws ChatError CONFLICT (too large) | RATE_LIMITED (`NEW_CONVERSATIONS_PER_DAY`)
   */
  async createGroup(userId: string, others: string[], title: string | null): Promise<Founded> {
    const { maxGroupSize } = this.settings;
    if (others.length + 1 > maxGroupSize) {
      throw new ChatError('CONFLICT', { message: `A group has at most ${maxGroupSize} participants` });
    }
    const id = await this.changes.commit(userId, async (scope) => {
      const consenting = await this.consents.consenting(scope.tx, userId, others);
      const roles = new Map<string, Role>([[userId, 'owner'], ...consenting.map((id) => [id, 'member'] as const)]);
      return this.insert(scope, userId, { kind: 'group', title, directKey: null }, roles);
    });
    return { id: id!, created: true };
  }

  private async insert(
    { tx, announce }: ChangeScope,
    founderId: string,
    conversation: Pick<NewConversation, 'kind' | 'title' | 'directKey'>,
    roles: ReadonlyMap<string, Role>,
  ): Promise<string | null> {
    const id = newId();
    const isNew = await this.conversations.insert(tx, { id, ...conversation, participantCount: roles.size });
    if (!isNew) return null;
    await this.created.count(tx, founderId);
    await this.participants.add(tx, id, { lastSeq: 0, lastRev: 0 }, roles);
    await this.participants.accept(tx, id, founderId);
    announce(id, 1, { type: 'created' });
    return id;
  }

  private async findOrInsert(scope: ChangeScope, userId: string, otherId: string): Promise<Founded> {
    const directKey = directKeyOf(userId, otherId);
    const known = await this.conversations.directId(scope.tx, directKey);
    if (known !== null) return this.reopen(scope, known, userId);
    const roles = new Map<string, Role>([userId, otherId].map((id) => [id, 'member']));
    const id = await this.insert(scope, userId, { kind: 'direct', title: null, directKey }, roles);
    if (id !== null) return { id, created: true };
    // The other user was faster, and their transaction has committed.
    return this.reopen(scope, (await this.conversations.directId(scope.tx, directKey))!, userId);
  }

  private async reopen({ tx, announceAcceptance }: ChangeScope, id: string, userId: string): Promise<Founded> {
    if (await this.participants.accept(tx, id, userId)) announceAcceptance(id, userId);
    return { id, created: false };
  }
}
