import { Injectable, Logger, type OnModuleInit } from '@nestjs/common';
import { ConversationActivity, ConversationDirectory, KeyedQueue, MembershipEvents } from '../conversations/index.js';
import { ConnectionHooks, type Connection } from '../realtime/index.js';
import { VisibilityEvents } from '../users/index.js';
import { LocalTypists } from './local-typists.js';
import { TypingAnnouncer } from './typing.announcer.js';
import { TypingStore, type Typist } from './typing.store.js';

/**
 * Ends typing by whatever ends it before its time: a send, leaving, a disconnect, a removal, a
 * block.
 *
 * On the node of the socket that types, which alone knows of it without asking. While the store is
 * away nothing is ended here: the time runs out instead.
 */
@Injectable()
export class TypingEnder implements OnModuleInit {
  private readonly logger = new Logger(TypingEnder.name);
  /**
   * A user's typing in a conversation, one call after another: a stop must not overtake its start.
   */
  private readonly queue = new KeyedQueue();

  constructor(
    private readonly store: TypingStore,
    private readonly local: LocalTypists,
    private readonly announcer: TypingAnnouncer,
    private readonly hooks: ConnectionHooks,
    private readonly activity: ConversationActivity,
    private readonly memberships: MembershipEvents,
    private readonly directory: ConversationDirectory,
    private readonly visibility: VisibilityEvents,
  ) {}

  onModuleInit(): void {
    this.hooks.register({ disconnected: (connection) => this.drop(connection) });
    this.activity.onSent((conversationId, senderId) => this.endHere(conversationId, senderId));
    this.memberships.onRemoved((conversationId, userId) => this.endHere(conversationId, userId));
    this.memberships.onLeft(({ userId }, conversationId) => this.endAnywhere(conversationId, userId));
    this.visibility.onChanged(({ cause, userId, otherId }) => {
      if (cause === 'blocked' && otherId !== null) this.part(userId, otherId);
    });
  }

  /** Runs work on a user's typing in a conversation after what was asked before. */
  async inOrder<T>(conversationId: string, userId: string, work: () => Promise<T>): Promise<T> {
    let result: T;
    await this.queue.run(`${conversationId} ${userId}`, async () => {
      result = await work();
    });
    return result!;
  }

  /**
   * @param connectionId null: whatever the user types there
   * @throws ChatError UNAVAILABLE
   */
  end(conversationId: string, userId: string, connectionId: string | null): Promise<void> {
    return this.inOrder(conversationId, userId, async () => {
      const end = await this.store.stop(conversationId, userId, connectionId);
      if (end) this.announcer.announce({ ...end, endsAtMs: null });
    });
  }

  /** Ends what a socket types. Never throws, never waits. */
  forget({ conversationId, userId, connectionId }: Typist): void {
    this.local.drop(connectionId);
    this.endInBackground(conversationId, userId, connectionId);
  }

  private drop({ id, userId }: Connection): void {
    for (const conversationId of this.local.drop(id)) this.endInBackground(conversationId, userId, id);
  }

  /** Costs nothing for whoever types nothing here. */
  private endHere(conversationId: string, userId: string): void {
    if (this.local.remove(conversationId, userId)) this.endInBackground(conversationId, userId, null);
  }

  /** Whichever socket types, on whichever node: who leaves is not known to type elsewhere. */
  private endAnywhere(conversationId: string, userId: string): void {
    this.local.remove(conversationId, userId);
    this.endInBackground(conversationId, userId, null);
  }

  private endInBackground(conversationId: string, userId: string, connectionId: string | null): void {
    this.end(conversationId, userId, connectionId).catch((error: unknown) =>
      this.logger.debug(`typing will run out: ${String(error)}`),
    );
  }

  /**
   * Two users no longer see each other. Each receives the end of the typing of the other that they
   * have seen.
   */
  private part(userId: string, otherId: string): void {
    for (const [typistId, viewerId] of [
      [userId, otherId],
      [otherId, userId],
    ] as const) {
      for (const conversationId of this.local.conversationsOf(typistId)) {
        this.inOrder(conversationId, typistId, () => this.hide(conversationId, typistId, viewerId)).catch(
          (error: unknown) => this.logger.debug(`the end of typing was not told: ${String(error)}`),
        );
      }
    }
  }

  private async hide(conversationId: string, typistId: string, viewerId: string): Promise<void> {
    const membership = await this.directory.get(conversationId);
    if (!membership?.participants.has(viewerId)) return;
    const typistIds = await this.store.typingIn(conversationId);
    if (!typistIds.includes(typistId)) return;
    const userIds = typistIds.filter((id) => id !== typistId);
    this.announcer.endFor(viewerId, { conversationId, userId: typistId, userIds });
  }
}
