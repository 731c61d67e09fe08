import { Injectable, Logger } from '@nestjs/common';
import { ConversationDirectory, KeyedQueue } from '../conversations/index.js';
import { Broadcaster } from '../realtime/index.js';
import { TypingPolicy } from './typing.policy.js';
import type { TypingEnd } from './typing.store.js';
import { UntoldBeginnings } from './untold-beginnings.js';

/** What others are told of a typist. */
interface TypingNews extends TypingEnd {
  /** Unix milliseconds; null: an end. */
  endsAtMs: number | null;
}

/**
 * Tells the joined sockets of the other participants, on all nodes, who types: at most once, those of one conversation in
 * the order in which this node was handed them. Each event lists all who type there, as far as its receiver may see.
 */
@Injectable()
export class TypingAnnouncer {
  private readonly logger = new Logger(TypingAnnouncer.name);
  private readonly queue = new KeyedQueue();
  private readonly untold = new UntoldBeginnings();

  constructor(
    private readonly directory: ConversationDirectory,
    private readonly policy: TypingPolicy,
    private readonly broadcaster: Broadcaster,
  ) {}

  /** Never throws, never waits. */
  announce(news: TypingNews): void {
    this.queue
      .run(news.conversationId, () => this.tell(news))
      .catch((error: unknown) => this.logger.debug(`typing was not told: ${String(error)}`));
  }

  /** Ends it for one viewer only, who from now on may not see the typist; not if he was not told the beginning. */
  endFor(viewerId: string, end: TypingEnd): void {
    this.queue
      .run(end.conversationId, async () => {
        if (this.untold.has(end.conversationId, end.userId, viewerId)) return;
        this.untold.end(end.conversationId, end.userId, viewerId);
        const hidden = await this.hiddenTypists(end.userIds, [viewerId]);
        this.emit([viewerId], { ...end, endsAtMs: null }, visibleTo(viewerId, end.userIds, hidden));
      })
      .catch((error: unknown) => this.logger.debug(`the end of typing was not told: ${String(error)}`));
  }

  /** Those of the typists that a viewer may see, without himself. */
  async seenBy(viewerId: string, typistIds: readonly string[]): Promise<string[]> {
    const others = typistIds.filter((userId) => userId !== viewerId);
    return visibleTo(viewerId, others, await this.hiddenTypists(others, [viewerId]));
  }

  private async tell(news: TypingNews): Promise<void> {
    const membership = await this.directory.get(news.conversationId);
    const viewerIds = [...(membership?.participants.keys() ?? [])].filter((userId) => userId !== news.userId);
    const hidden = await this.hiddenTypists([news.userId, ...news.userIds], viewerIds);
    this.remember(news, hidden.get(news.userId)!);
    const listeners = viewerIds.filter((viewerId) => !hidden.get(news.userId)!.has(viewerId));
    for (const group of alike(listeners, news.userIds, hidden)) this.emit(group.viewerIds, news, group.userIds);
  }

  private remember({ conversationId, userId, endsAtMs }: TypingNews, hiddenFrom: ReadonlySet<string>): void {
    if (endsAtMs === null) this.untold.forget(conversationId, userId);
    else this.untold.begin(conversationId, userId, hiddenFrom);
  }

  private emit(viewerIds: string[], { conversationId, userId, endsAtMs }: TypingNews, userIds: string[]): void {
    this.broadcaster.emit({ userIds: viewerIds, conversationId }, 'user-typing', {
      conversationId,
      userId,
      isTyping: endsAtMs !== null,
      expiresAt: endsAtMs === null ? null : new Date(endsAtMs).toISOString(),
      userIds,
    });
  }

  /** @returns by typist, the viewers who do not see him */
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

/** Viewers who see the same: as a rule all of them, so that there is one encoding and one message to the other nodes. */
function alike(
  viewerIds: string[],
  typistIds: string[],
  hidden: ReadonlyMap<string, ReadonlySet<string>>,
): { viewerIds: string[]; userIds: string[] }[] {
  if (typistIds.every((typistId) => hidden.get(typistId)!.size === 0)) return [{ viewerIds, userIds: typistIds }];
  const groups = new Map<string, { viewerIds: string[]; userIds: string[] }>();
  for (const viewerId of viewerIds) {
    const userIds = visibleTo(viewerId, typistIds, hidden);
    const group = groups.get(userIds.join('\n'));
    if (group) group.viewerIds.push(viewerId);
    else groups.set(userIds.join('\n'), { viewerIds: [viewerId], userIds });
  }
  return [...groups.values()];
}
