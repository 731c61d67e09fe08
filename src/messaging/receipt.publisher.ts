import { Injectable, Logger } from '@nestjs/common';
import { ConversationDirectory, type Membership } from '../conversations/index.js';
import { ReceiptCoalescer } from './receipt.coalescer.js';
import { ReceiptFanOut } from './receipt.fan-out.js';
import type { ReceiptEvent, ReceiptMark, ReceiptRow } from './receipt.js';

// Above this a receipt a person would be more than people can look at (issue B).
const maxParticipantsUncoalesced = 100;
// How long an event may be on its way to another node, generously.
const onItsWayMs = 5_000;

/**
 * Makes events of cursors that moved, and has them told on all nodes: one publish per batch.
 *
 * In groups above 100 participants at most one event of a kind per user, conversation and second
 * leaves this node: the first at once, then the latest.
 */
@Injectable()
export class ReceiptPublisher {
  private readonly logger = new Logger(ReceiptPublisher.name);
  /**
   * Look-ups on their way; who comes later queues behind them, so that nobody hears cursors go
   * back.
   */
  private tail: Promise<void> | null = null;

  constructor(
    private readonly directory: ConversationDirectory,
    private readonly coalescer: ReceiptCoalescer,
    private readonly fanOut: ReceiptFanOut,
  ) {}

  /**
   * Call it after commit. Never throws, never waits. @param rows the answers to the marks, in order
   */
  publish(marks: readonly ReceiptMark[], rows: readonly ReceiptRow[]): void {
    const moved = marks.flatMap((mark, i) => eventsOf(mark, rows[i]!));
    if (moved.length === 0) return;
    const known = moved.map((event) => this.directory.peek(event.conversationId));
    if (this.tail === null && known.every((membership) => membership !== null)) return this.send(moved, known);
    const tail = (this.tail ?? Promise.resolve())
      .then(() => this.lookUpAndSend(moved))
      .finally(() => {
        if (this.tail === tail) this.tail = null;
      });
    this.tail = tail;
  }

  private async lookUpAndSend(moved: ReceiptEvent[]): Promise<void> {
    try {
      const memberships = moved.map(({ conversationId }) => this.directory.get(conversationId));
      this.send(moved, await Promise.all(memberships));
    } catch (error) {
      // The cursors are stored, and `sync` tells of them.
      this.logger.warn(`receipts not announced: ${String(error)}`);
    }
  }

  private send(moved: ReceiptEvent[], memberships: (Membership | null)[]): void {
    const atOnce: ReceiptEvent[] = [];
    moved.forEach((event, i) => {
      const membership = memberships[i];
      if (!membership) return;
      const addressed = { ...event, peerId: peerOf(membership, event.userId) };
      if (membership.participants.size <= maxParticipantsUncoalesced) atOnce.push(addressed);
      else this.coalescer.offer(keyOf(event), () => this.fanOut.tell([addressed]));
    });
    if (atOnce.length > 0) this.fanOut.tell(atOnce);
  }
}

/** Delivered first: a client that takes them in order never sees read above delivered. */
function eventsOf({ conversationId, userId, connectionId }: ReceiptMark, row: ReceiptRow): ReceiptEvent[] {
  const common = { conversationId, userId, peerId: null, exceptConnectionId: connectionId ?? null };
  const events: ReceiptEvent[] = [];
  if (row.hasDelivered || hasJustBeenDelivered(row)) {
    events.push({
      ...common,
      event: 'message-delivered',
      seq: row.deliveredSeq,
      at: row.deliveredAt!.toISOString(),
    });
  }
  if (row.hasRead) {
    events.push({ ...common, event: 'messages-read', seq: row.readSeq, at: row.readAt!.toISOString() });
  }
  return events;
}

/**
 * Another node moved the delivered cursor a moment ago, and its event may arrive after this one's:
 * told again, so that nobody hears of messages that were read and not delivered. Who has heard it
 * hears it once ({@link ReceiptProgress}).
 */
function hasJustBeenDelivered({ hasRead, readAt, deliveredAt }: ReceiptRow): boolean {
  return hasRead && deliveredAt !== null && readAt!.getTime() - deliveredAt.getTime() < onItsWayMs;
}

function keyOf({ event, conversationId, userId }: ReceiptEvent): string {
  return `${event} ${conversationId} ${userId}`;
}

function peerOf({ kind, participants }: Membership, userId: string): string | null {
  if (kind !== 'direct') return null;
  return [...participants.keys()].find((id) => id !== userId) ?? null;
}
