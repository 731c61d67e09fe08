import { Injectable, Logger, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { setTimeout as sleep } from 'node:timers/promises';
import { ConversationDirectory, messagesNoticeKind } from '../conversations/index.js';
import { NodeBus } from '../redis/index.js';
import { Announcer, ConnectionRegistry, type LiveBatch } from '../realtime/index.js';
import { MessageChangeRepository, type ConversationProgress } from './message-change.repository.js';
import type { MessageChange, MessagesNotice } from './message-change.js';
import { MessageFanOut } from './message.fan-out.js';

const maxConversations = 100_000;
// A hole is nearly always another node's publish on its way; the one that is left comes from
// Postgres.
const gapWaitMs = 150;
const catchUpRetryMs = 500;

/** How far this node has told its sockets of a conversation: everything in (floor, last]. */
interface Progress {
  /**
   * False until it is known where to start: a node that meets a conversation may hear of rev 7
   * before rev 6.
   */
  isStarted: boolean;
  floor: number;
  last: number;
  /** Notices that cannot be taken yet: behind a hole, or behind one that is being worked on. */
  waiting: MessagesNotice[];
  isBusy: boolean;
  gapTimer: NodeJS.Timeout | null;
}

/**
 * Puts committed changes, from this node and others, into the order of `rev` and hands them to the
 * fan-out.
 *
 * Guarantees, per conversation and node: each change once and in order; a hole that does not close
 * within 150 ms is filled from Postgres, with the present state of the messages concerned. A
 * conversation first met at a `rev` above 1 waits as long for lower ones and then starts at the
 * lowest that was announced or stands in the outbox; what arrives later below that start is still
 * handed on.
 */
@Injectable()
export class MessageFeed implements OnModuleInit, OnApplicationShutdown {
  private readonly logger = new Logger(MessageFeed.name);
  private readonly progress = new LRUCache<string, Progress>({ max: maxConversations });
  private isStopping = false;

  constructor(
    private readonly announcer: Announcer,
    private readonly bus: NodeBus,
    private readonly registry: ConnectionRegistry,
    private readonly directory: ConversationDirectory,
    private readonly changes: MessageChangeRepository,
    private readonly fanOut: MessageFanOut,
  ) {}

  onModuleInit(): void {
    this.announcer.on(messagesNoticeKind, (notice: MessagesNotice) => this.receive(notice), { catchesUp: true });
    this.bus.onReconnected((awayMs) => void this.catchUp(awayMs));
  }

  onApplicationShutdown(): void {
    this.isStopping = true;
  }

  private receive(notice: MessagesNotice): void {
    const progress = this.progressOf(notice);
    progress.waiting.push(notice);
    this.advance(notice.conversationId, progress);
  }

  private progressOf(notice: MessagesNotice): Progress {
    const known = this.progress.get(notice.conversationId);
    if (known) return known;
    // Alone, this node hears everything in order: nothing lower can be on its way.
    const isStarted = !this.bus.isShared;
    const start = isStarted ? notice.fromRev - 1 : 0;
    const progress: Progress = { isStarted, floor: start, last: start, waiting: [], isBusy: false, gapTimer: null };
    this.progress.set(notice.conversationId, progress);
    return progress;
  }

  /** Takes every notice that can be taken now, without a promise where nothing has to be read. */
  private advance(conversationId: string, progress: Progress): void {
    while (!progress.isBusy) {
      const next = this.takeNext(progress);
      if (!next) break;
      const work = this.take(next, progress);
      if (!work) continue;
      progress.isBusy = true;
      void work
        .catch((error: unknown) => this.logger.error(`changes of ${conversationId} not handed on: ${String(error)}`))
        .finally(() => {
          progress.isBusy = false;
          this.advance(conversationId, progress);
        });
    }
    this.watchGap(conversationId, progress);
  }

  private takeNext(progress: Progress): MessagesNotice | undefined {
    const { waiting, floor, last } = progress;
    // Without a start only the very first change can be taken: nothing comes before it.
    progress.isStarted ||= waiting.some((notice) => notice.fromRev === 1);
    if (!progress.isStarted) return undefined;
    const i = waiting.findIndex((notice) => notice.fromRev <= last + 1 || notice.toRev <= floor);
    return i < 0 ? undefined : waiting.splice(i, 1)[0];
  }

  /** @returns a promise when something has to be read first */
  private take(notice: MessagesNotice, progress: Progress): Promise<void> | null {
    const isLate = notice.toRev <= progress.floor;
    if (!isLate && notice.toRev <= progress.last) return null;
    const above = isLate ? notice.fromRev - 1 : progress.last;
    if (!isLate) progress.last = notice.toRev;
    // Nobody to tell: a node without sockets looks nothing up.
    if (this.registry.size === 0) return null;
    const members = notice.members ?? this.membersFromCache(notice);
    if (!members || !notice.changes) return this.takeSlowly(notice, above);
    this.fanOut.deliver(members, batchOf(notice, above, since(notice.changes, above)));
    return null;
  }

  private membersFromCache(notice: MessagesNotice): [string, number][] | null {
    const membership = this.directory.peek(notice.conversationId, notice.version);
    return membership && [...membership.participants].map(([userId, { joinedSeq }]) => [userId, joinedSeq]);
  }

  private async takeSlowly(notice: MessagesNotice, above: number): Promise<void> {
    const membership = await this.directory.get(notice.conversationId, notice.version);
    if (!membership) return;
    const members = [...membership.participants].map(([userId, { joinedSeq }]): [string, number] => [
      userId,
      joinedSeq,
    ]);
    if (!members.some(([userId]) => this.registry.ofUser(userId).size > 0)) return;
    const changes = notice.changes
      ? since(notice.changes, above)
      : await this.changes.between(notice.conversationId, above, notice.toRev);
    this.fanOut.deliver(members, batchOf(notice, above, changes));
  }

  private watchGap(conversationId: string, progress: Progress): void {
    if (progress.waiting.length === 0 || progress.isBusy) {
      if (progress.gapTimer) clearTimeout(progress.gapTimer);
      progress.gapTimer = null;
      return;
    }
    progress.gapTimer ??= setTimeout(() => this.fillGap(conversationId, progress), gapWaitMs);
  }

  private fillGap(conversationId: string, progress: Progress): void {
    progress.gapTimer = null;
    const [first] = [...progress.waiting].sort((a, b) => a.fromRev - b.fromRev);
    if (first && !progress.isStarted) return this.start(first, progress);
    if (first && first.fromRev > progress.last + 1) progress.waiting.push(holeBelow(first, progress.last));
    this.advance(conversationId, progress);
  }

  /**
   * Starts at the lowest change known, or lower: at what a node has committed and not announced,
   * since it died.
   */
  private start(first: MessagesNotice, progress: Progress): void {
    progress.isBusy = true;
    void this.changes
      .lowestUnannounced(first.conversationId, first.fromRev)
      .catch(() => first.fromRev)
      .then((found) => {
        // What this node missed may have come in meanwhile.
        const lowest = Math.min(found, ...progress.waiting.map(({ fromRev }) => fromRev));
        Object.assign(progress, { isStarted: true, isBusy: false, floor: lowest - 1, last: lowest - 1 });
        if (lowest < first.fromRev) progress.waiting.push(holeBelow(first, progress.last));
        this.advance(first.conversationId, progress);
      });
  }

  /**
   * After this node was cut off from the bus: reads what its users' conversations have gone through
   * meanwhile. While Postgres is away, too, it goes on trying: what others announced in that time
   * is announced to nobody again.
   */
  private async catchUp(awayMs: number): Promise<void> {
    const sinceMs = performance.now() - awayMs;
    while (!this.isStopping) {
      try {
        return this.receiveMissed(await this.missedSince(sinceMs));
      } catch (error) {
        this.logger.warn(`not caught up yet with what was missed without the bus: ${String(error)}`);
      }
      await sleep(catchUpRetryMs, undefined, { ref: false });
    }
  }

  private async missedSince(sinceMs: number): Promise<ConversationProgress[]> {
    const userIds = [...this.registry.userIds()];
    return userIds.length === 0 ? [] : this.changes.conversationsChanged(userIds, performance.now() - sinceMs);
  }

  private receiveMissed(changed: ConversationProgress[]): void {
    for (const { conversationId, version, lastRev, revBefore } of changed) {
      const missed = (fromRev: number, toRev: number): void => {
        if (fromRev <= toRev) this.receive({ conversationId, version, fromRev, toRev });
      };
      const progress = this.progress.get(conversationId);
      if (!progress?.isStarted) missed(revBefore + 1, lastRev);
      else {
        // First met while this node was cut off: what lies below its start may have been told
        // without this node.
        missed(revBefore + 1, progress.floor);
        missed(progress.last + 1, lastRev);
      }
    }
  }
}

function batchOf(notice: MessagesNotice, above: number, changes: MessageChange[]): LiveBatch<MessageChange> {
  return { conversationId: notice.conversationId, above, upTo: notice.toRev, changes };
}

/** Stands for the changes between what has been told and a notice; they are read from Postgres. */
function holeBelow({ conversationId, version, fromRev }: MessagesNotice, last: number): MessagesNotice {
  return { conversationId, version, fromRev: last + 1, toRev: fromRev - 1 };
}

function since<T extends { rev: number }>(changes: T[], above: number): T[] {
  return changes[0]!.rev > above ? changes : changes.filter((change) => change.rev > above);
}
