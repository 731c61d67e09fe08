import { Injectable, Logger, type OnModuleInit } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { ConversationDirectory } from '../conversations/index.js';
import { NodeBus } from '../redis/index.js';
import { Announcer, ConnectionRegistry } from '../realtime/index.js';
import { MessageChangeRepository } from './message-change.repository.js';
import { messagesNoticeKind, type MessagesNotice } from './message-change.js';
import { MessageFanOut } from './message.fan-out.js';

const maxConversations = 100_000;
// A hole is nearly always another node's publish on its way; the one that is left comes from Postgres.
const gapWaitMs = 150;

/** How far this node has told its sockets of a conversation: everything in (floor, last]. */
interface Progress {
  floor: number;
  last: number;
  /** Notices that cannot be taken yet: behind a hole, or behind one that is being worked on. */
  waiting: MessagesNotice[];
  isBusy: boolean;
  gapTimer: NodeJS.Timeout | null;
}

/**
 * Puts committed changes, from this node and others, into the order of `rev` and hands them to the fan-out.
 *
 * Guarantees, per conversation and node: each change once and in order; a hole that does not close within 150 ms is
 * filled from Postgres, with the present state of the messages concerned. A conversation first met at a `rev` above 1
 * starts there; what arrives late below that start is still handed on.
 */
@Injectable()
export class MessageFeed implements OnModuleInit {
  private readonly logger = new Logger(MessageFeed.name);
  private readonly progress = new LRUCache<string, Progress>({ max: maxConversations });

  constructor(
    private readonly announcer: Announcer,
    private readonly bus: NodeBus,
    private readonly registry: ConnectionRegistry,
    private readonly directory: ConversationDirectory,
    private readonly changes: MessageChangeRepository,
    private readonly fanOut: MessageFanOut,
  ) {}

  onModuleInit(): void {
    this.announcer.on(messagesNoticeKind, (notice: MessagesNotice) => this.receive(notice));
    this.bus.onReconnected((awayMs) => void this.catchUp(awayMs));
  }

  private receive(notice: MessagesNotice): void {
    const progress = this.progressOf(notice);
    progress.waiting.push(notice);
    this.advance(notice.conversationId, progress);
  }

  private progressOf(notice: MessagesNotice): Progress {
    const known = this.progress.get(notice.conversationId);
    if (known) return known;
    const start = notice.fromRev - 1;
    const progress: Progress = { floor: start, last: start, waiting: [], isBusy: false, gapTimer: null };
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
    this.fanOut.deliver(notice.conversationId, members, since(notice.changes, above));
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
    this.fanOut.deliver(notice.conversationId, members, changes);
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
    if (!first || first.fromRev <= progress.last + 1) return this.advance(conversationId, progress);
    const hole = { conversationId, version: first.version, fromRev: progress.last + 1, toRev: first.fromRev - 1 };
    progress.waiting.push(hole);
    this.advance(conversationId, progress);
  }

  /** After this node was cut off from the bus: reads what its users' conversations have gone through meanwhile. */
  private async catchUp(awayMs: number): Promise<void> {
    const userIds = [...this.registry.userIds()];
    if (userIds.length === 0) return;
    const changed = await this.changes.conversationsChanged(userIds, awayMs).catch((error: unknown) => {
      this.logger.error(`not caught up after ${awayMs} ms without the bus: ${String(error)}`);
      return [];
    });
    for (const { conversationId, version, lastRev, revBefore } of changed) {
      const from = this.progress.get(conversationId)?.last ?? revBefore;
      if (lastRev > from) this.receive({ conversationId, version, fromRev: from + 1, toRev: lastRev });
    }
  }
}

function since<T extends { rev: number }>(changes: T[], above: number): T[] {
  return changes[0]!.rev > above ? changes : changes.filter((change) => change.rev > above);
}
