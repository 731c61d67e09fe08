import { Injectable, type OnModuleInit } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import type { Actor } from '../auth/index.js';
import { ChatError } from '../common/index.js';
import { Sql } from '../database/index.js';
import { Announcer, Broadcaster, type Notice } from '../realtime/index.js';
import { messageDeleted, type MessageDeleted } from './deletion.event.js';
import { DeletionRepository, type HiddenMessage } from './deletion.repository.js';

const noticeKind = 'message-hidden';
const maxRemembered = 10_000;

/** Tells every node what a user has hidden from himself. */
interface HiddenNotice {
  userId: string;
  payload: MessageDeleted;
  /** The connection that acted and has its answer already. */
  exceptConnectionId: string | null;
}

/** Hides messages from one user, on all of his devices (`delete-message` with scope `me`). */
@Injectable()
export class DeletionForMe implements OnModuleInit {
  // A message is hidden once and for ever, so user and message name the notice.
  private readonly seen = new LRUCache<string, true>({ max: maxRemembered });

  constructor(
    private readonly sql: Sql,
    private readonly deletions: DeletionRepository,
    private readonly announcer: Announcer,
    private readonly broadcaster: Broadcaster,
  ) {}

  onModuleInit(): void {
    this.announcer.on(noticeKind, (notice: HiddenNotice) => this.tell(notice));
  }

  /**
   * Leaves `rev` alone; hiding what is hidden already changes nothing. @throws ChatError NOT_FOUND
   * | UNAVAILABLE
   */
  async hide(actor: Actor, messageId: string): Promise<void> {
    await actor.turn?.ready;
    const committed = await this.sql.transaction(async (tx) => {
      const hidden = await this.deletions.hide(tx, messageId, actor.userId);
      if (!hidden) throw new ChatError('NOT_FOUND');
      const notices = noticesOf(actor, hidden);
      return notices.length === 0 ? null : { notices, ticket: await this.announcer.enlist(tx, notices) };
    });
    if (committed) this.announcer.announce(committed.ticket, committed.notices);
  }

  private tell({ userId, payload, exceptConnectionId }: HiddenNotice): void {
    const key = `${payload.messageId} ${userId}`;
    if (this.seen.has(key)) return;
    this.seen.set(key, true);
    this.broadcaster.emitLocally({ userIds: [userId], exceptConnectionId }, 'message-deleted', payload);
  }
}

function noticesOf(actor: Actor, { hiddenAt, conversationId, ...message }: HiddenMessage): Notice[] {
  if (hiddenAt === null) return [];
  const { userId, connectionId: exceptConnectionId } = actor;
  const payload = messageDeleted(conversationId, { ...message, deletedAt: hiddenAt }, userId, 'me');
  return [{ kind: noticeKind, payload: { userId, payload, exceptConnectionId } satisfies HiddenNotice }];
}
