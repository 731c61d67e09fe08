import { Injectable, Logger } from '@nestjs/common';
import { ConversationDirectory, KeyedQueue } from '../conversations/index.js';
import { TypingDelivery, type TypingNotice, type TypingViewers } from './typing.delivery.js';
import { TypingPolicy } from './typing.policy.js';
import type { TypingEnd } from './typing.store.js';
import { UntoldBeginnings } from './untold-beginnings.js';

/** The event about a typist that others receive. */
interface TypingNews extends TypingEnd {
  /** Unix milliseconds; null: an end. */
  endsAtMs: number | null;
}

/**
 * Tells the joined sockets of the other participants, on all nodes, who types: at most once, in
 * order ({@link TypingDelivery}). Each event lists all who type there, as far as its receiver may
 * see.
 */
@Injectable()
export class TypingAnnouncer {
  private readonly logger = new Logger(TypingAnnouncer.name);
  private readonly queue = new KeyedQueue();
  private readonly untold = new UntoldBeginnings();

  constructor(
    private readonly directory: ConversationDirectory,
    private readonly policy: TypingPolicy,
    private readonly delivery: TypingDelivery,
  ) {}

  /** Never throws, never waits. */
  announce(news: TypingNews): void {
    this.inOrder(news.conversationId, async () => this.delivery.publish(await this.noticeOf(news)));
  }

  /**
   * Ends it for this node's sockets, where the end the store handed out got lost. Never throws,
   * never waits.
   */
  endHere(end: TypingEnd): void {
    this.inOrder(end.conversationId, async () =>
      this.delivery.deliver(await this.noticeOf({ ...end, endsAtMs: null })),
    );
  }

  /**
   * Ends the typing for one viewer only, who may no longer see the typist. Does nothing if the
   * viewer did not receive the beginning.
   */
  endFor(viewerId: string, { conversationId, userId, userIds }: Omit<TypingEnd, 'atUs'>): void {
    this.inOrder(conversationId, async () => {
      if (this.untold.has(conversationId, userId, viewerId)) return;
      this.untold.end(conversationId, userId, viewerId);
      const hidden = await this.hiddenTypists(userIds, [viewerId]);
      const viewers = [{ viewerIds: [viewerId], userIds: visibleTo(viewerId, userIds, hidden) }];
      this.delivery.publish({ conversationId, userId, endsAtMs: null, atUs: null, viewers });
    });
  }

  /** Those of the typists that a viewer may see. */
  async seenBy(viewerId: string, typistIds: readonly string[]): Promise<string[]> {
    return visibleTo(viewerId, typistIds, await this.hiddenTypists(typistIds, [viewerId]));
  }

  private inOrder(conversationId: string, work: () => Promise<void>): void {
    this.queue
      .run(conversationId, work)
      .catch((error: unknown) => this.logger.debug(`typing was not told: ${String(error)}`));
  }

  private async noticeOf(news: TypingNews): Promise<TypingNotice> {
    const { conversationId, userId, endsAtMs, atUs } = news;
    const membership = await this.directory.get(conversationId);
    const viewerIds = [...(membership?.participants.keys() ?? [])].filter((id) => id !== userId);
    const hidden = await this.hiddenTypists([userId, ...news.userIds], viewerIds);
    this.remember(news, hidden.get(userId)!);
    const listeners = viewerIds.filter((viewerId) => !hidden.get(userId)!.has(viewerId));
    return { conversationId, userId, endsAtMs, atUs, viewers: alike(listeners, news.userIds, hidden) };
  }

  private remember({ conversationId, userId, endsAtMs }: TypingNews, hiddenFrom: ReadonlySet<string>): void {
    if (endsAtMs === null) this.untold.forget(conversationId, userId);
    else this.untold.begin(conversationId, userId, hiddenFrom);
  }

  /** @returns by typist, the viewers who do not see them */
  private async hiddenTypists(
    typistIds: readonly string[],
    viewerIds: readonly string[],
  ): Promise<Map<string, ReadonlySet<string>>> {
    const hidden = new Map<string, ReadonlySet<string>>();
    for (const typistId of new Set(typistIds)) {
      const others = viewerIds.filter((viewerId) => viewerId !== typistId);
      hidden.set(typistId, await this.policy.hiddenFrom(typistId, others));
    }
    return hidden;
  }
}

function visibleTo(
  viewerId: string,
  typistIds: readonly string[],
  hidden: ReadonlyMap<string, ReadonlySet<string>>,
): string[] {
  return typistIds.filter((typistId) => !hidden.get(typistId)?.has(viewerId));
}

/**
 * Viewers who see the same: as a rule all of them, so that there is one encoding and one message to
 * the other nodes.
 */
function alike(
  viewerIds: string[],
  typistIds: string[],
  hidden: ReadonlyMap<string, ReadonlySet<string>>,
): TypingViewers[] {
  if (typistIds.every((typistId) => hidden.get(typistId)!.size === 0)) return [{ viewerIds, userIds: typistIds }];
  const groups = new Map<string, TypingViewers>();
  for (const viewerId of viewerIds) {
    const userIds = visibleTo(viewerId, typistIds, hidden);
    const group = groups.get(userIds.join('\n'));
    if (group) group.viewerIds.push(viewerId);
    else groups.set(userIds.join('\n'), { viewerIds: [viewerId], userIds });
  }
  return [...groups.values()];
}
