import { Injectable } from '@nestjs/common';
import type { Actor } from '../auth/index.js';
import { ChatError, newRandomId, type Role } from '../common/index.js';
import { Sql, UserTurns, type SqlRunner } from '../database/index.js';
import { Announcer, type Notice } from '../realtime/index.js';
import { acceptanceNotice } from './acceptance.notice.js';
import { conversationNoticeKind, type ConversationChange, type ConversationNotice } from './conversation.notice.js';
import { ConversationRepository, type LockedConversation } from './conversation.repository.js';

/** A transaction that may change conversations, and tells every node what it changed. */
export interface ChangeScope {
  tx: SqlRunner;
  /**
   * Announced after commit, from whichever node is alive then. @param version of the participants,
   * after the change
   */
  announce(conversationId: string, version: number, change: ConversationChange): void;
  /** Announced likewise: a user has accepted the other participants. */
  announceAcceptance(conversationId: string, userId: string): void;
}

/** As {@link ChangeScope}, with a group the actor takes part in, locked. */
export interface GroupScope extends ChangeScope {
  group: LockedConversation;
  /** The actor's own role. */
  role: Role;
}

/** The one way to change conversations: change and announcement commit together. */
@Injectable()
export class ConversationChanges {
  constructor(
    private readonly sql: Sql,
    private readonly announcer: Announcer,
    private readonly conversations: ConversationRepository,
    private readonly turns: UserTurns,
  ) {}

  /**
   * Runs `work` in a transaction, in a turn of the user's; announces after commit what it asked to,
   * and waits until every node the bus reaches knows.
   */
  async commit<T>(userId: string, work: (scope: ChangeScope) => Promise<T>): Promise<T> {
    const notices: Notice[] = [];
    const { result, ticket } = await this.turns.change(userId, () =>
      this.sql.transaction(async (tx) => {
        const result = await work({
          tx,
          announce: (...args) => notices.push(noticeOf(...args)),
          announceAcceptance: (...args) => notices.push(acceptanceNotice(...args)),
        });
        const ticket = notices.length === 0 ? null : await this.announcer.enlist(tx, notices);
        return { result, ticket };
      }),
    );
    if (ticket !== null) await this.announcer.announceEverywhere(ticket, notices);
    return result;
  }

  /**
   * Runs `work` on a group with its row locked, so that roles and counts stay as they were read.
   *
   * @param userIds whose roles `work` needs besides the actor's
   * @throws ChatError NOT_FOUND (not a participant, or no such conversation) | CONFLICT (a direct
   *   conversation)
   */
  async commitToGroup<T>(
    actor: Actor,
    conversationId: string,
    userIds: string[],
    work: (scope: GroupScope) => Promise<T>,
  ): Promise<T> {
    return this.commit(actor.userId, async (scope) => {
      const group = await this.conversations.lock(scope.tx, conversationId, [actor.userId, ...userIds]);
      const role = group?.roles.get(actor.userId);
      if (!group || !role) throw new ChatError('NOT_FOUND');
      if (group.kind === 'direct') throw directIsFixed();
      return work({ ...scope, group, role });
    });
  }
}

/** Title and members of a direct conversation are what they are. */
export function directIsFixed(): ChatError {
  return new ChatError('CONFLICT', { message: 'Title and members of a direct conversation cannot be changed' });
}

function noticeOf(conversationId: string, version: number, change: ConversationChange): Notice {
  const payload: ConversationNotice = { id: newRandomId(), conversationId, version, change };
  return { kind: conversationNoticeKind, payload };
}
