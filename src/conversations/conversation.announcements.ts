import { Injectable, type OnModuleInit } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { Announcer, Broadcaster, ConnectionRegistry } from '../realtime/index.js';
import { ConversationDirectory } from './conversation.directory.js';
import { conversationNoticeKind, type ConversationChange, type ConversationNotice } from './conversation.notice.js';
import { ConversationViews } from './conversation.views.js';
import { KeyedQueue } from './keyed-queue.js';
import { MembershipEvents } from './membership.events.js';
import type { Membership } from './membership.js';

type Members = Membership['participants'];
type Added = Extract<ConversationChange, { type: 'added' }>;
type Removed = Extract<ConversationChange, { type: 'removed' }>;
type Deleted = Extract<ConversationChange, { type: 'deleted' }>;

const nobody: Members = new Map();

const maxRemembered = 10_000;
// One query shows a group to all who are connected here, unless groups are much larger than by
// default.
const viewersPerQuery = 1_024;

/**
 * Acts on each committed change of a conversation, on every node: first the directory forgets, then
 * connections and features follow, then this node's sockets hear of it, each with its own view.
 *
 * Changes of one conversation are told in the order in which they came to this node, each once.
 */
@Injectable()
export class ConversationAnnouncements implements OnModuleInit {
  private readonly seen = new LRUCache<string, true>({ max: maxRemembered });
  private readonly queue = new KeyedQueue();

  constructor(
    private readonly announcer: Announcer,
    private readonly broadcaster: Broadcaster,
    private readonly registry: ConnectionRegistry,
    private readonly directory: ConversationDirectory,
    private readonly views: ConversationViews,
    private readonly events: MembershipEvents,
  ) {}

  onModuleInit(): void {
    this.announcer.on(conversationNoticeKind, (notice: ConversationNotice) => this.receive(notice));
  }

  private receive(notice: ConversationNotice): Promise<void> | void {
    if (this.seen.has(notice.id)) return;
    this.seen.set(notice.id, true);
    // At once, before whoever made the change is answered.
    this.directory.invalidate(notice.conversationId, notice.version);
    return this.queue.run(notice.conversationId, () => this.tell(notice));
  }

  private async tell({ conversationId, version, change }: ConversationNotice): Promise<void> {
    const members = (await this.directory.get(conversationId, version))?.participants ?? nobody;
    switch (change.type) {
      case 'created':
        return this.welcome(conversationId, [...members.keys()]);
      case 'updated':
        return this.show('conversation-updated', conversationId, [...members.keys()]);
      case 'added':
        return this.tellAdded(conversationId, members, change);
      case 'removed':
        return this.tellRemoved(conversationId, members, change);
      case 'deleted':
        return this.emitDeleted(conversationId, change);
    }
  }

  private welcome(conversationId: string, newcomerIds: string[]): Promise<void> {
    for (const userId of newcomerIds) this.events.tellAdded(conversationId, userId);
    return this.show('conversation-created', conversationId, newcomerIds);
  }

  private async tellAdded(conversationId: string, members: Members, change: Added): Promise<void> {
    const { role, by } = change;
    // Who has gone again meanwhile is told by the notice of that.
    const newcomerIds = change.userIds.filter((userId) => members.has(userId));
    await this.welcome(conversationId, newcomerIds);
    const audience = { userIds: [...members.keys()] };
    for (const userId of newcomerIds) {
      this.broadcaster.emitLocally(audience, 'participant-added', { conversationId, userId, role, by });
    }
  }

  private tellRemoved(conversationId: string, members: Members, { userId, by }: Removed): void {
    if (!members.has(userId)) this.putOut(conversationId, userId);
    const audience = { userIds: [...new Set([...members.keys(), userId])] };
    this.broadcaster.emitLocally(audience, 'participant-removed', { conversationId, userId, by });
  }

  /** Each participant learns of their own removal only. */
  private emitDeleted(conversationId: string, { userIds, by }: Deleted): void {
    for (const userId of userIds) {
      this.putOut(conversationId, userId);
      this.broadcaster.emitLocally({ userIds: [userId] }, 'participant-removed', { conversationId, userId, by });
    }
  }

  private putOut(conversationId: string, userId: string): void {
    for (const connection of this.registry.ofUser(userId)) this.registry.leave(connection, conversationId);
    this.events.tellRemoved(conversationId, userId);
  }

  /** Sends each connected user the conversation as he sees it. */
  private async show(event: string, conversationId: string, userIds: string[]): Promise<void> {
    const present = userIds.filter((userId) => this.registry.ofUser(userId).size > 0);
    for (let i = 0; i < present.length; i += viewersPerQuery) {
      const views = await this.views.forUsers(conversationId, present.slice(i, i + viewersPerQuery));
      for (const [userId, view] of views) this.broadcaster.emitLocally({ userIds: [userId] }, event, view);
    }
  }
}
