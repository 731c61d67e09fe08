import { Injectable, Logger } from '@nestjs/common';
import { KeyedQueue, ReceiptVisibility } from '../conversations/index.js';
import { ConnectionRegistry, PacketWriter, type Connection } from '../realtime/index.js';
import { NodeBus } from '../redis/index.js';
import type { ReceiptEvent } from './receipt.js';
import { ReceiptProgress } from './receipt.progress.js';

const topic = 'receipts';

/**
 * Sends receipts to the sockets concerned, on this node and all others (contract, section 5).
 *
 * A direct conversation: all sockets of the peer. A group: the other participants' sockets that
 * joined it. Read cursors also reach the reader's own other sockets, and nobody for whom they are
 * hidden. At most once; from whatever nodes they come, each cursor only grows. What is lost is
 * found again by `sync`.
 */
@Injectable()
export class ReceiptFanOut {
  private readonly logger = new Logger(ReceiptFanOut.name);
  private readonly queue = new KeyedQueue();

  constructor(
    private readonly registry: ConnectionRegistry,
    private readonly writer: PacketWriter,
    private readonly visibility: ReceiptVisibility,
    private readonly progress: ReceiptProgress,
    private readonly bus: NodeBus,
  ) {
    this.bus.subscribe(topic, (events) => this.deliverAll(events as ReceiptEvent[]));
  }

  /** Tells this node's sockets and the other nodes. Never throws, never waits. */
  tell(events: ReceiptEvent[]): void {
    this.deliverAll(events);
    if (this.bus.isShared) this.bus.publish(topic, events).catch(() => undefined);
  }

  private deliverAll(events: ReceiptEvent[]): void {
    for (const event of events) {
      if (!this.progress.advance(event)) continue;
      const others = this.othersConcerned(event);
      if (event.event === 'message-delivered') this.write(others, event);
      else this.deliverRead(event, others);
    }
  }

  private deliverRead(event: ReceiptEvent, others: Connection[]): void {
    this.write(this.ownOthers(event), event);
    if (others.length === 0) return;
    // In order, though whether somebody may see it can take a look-up.
    this.queue
      .run(event.conversationId, async () => this.write(await this.allowedToSee(event, others), event))
      .catch((error: unknown) => this.logger.warn(`a read receipt was not told: ${String(error)}`));
  }

  private othersConcerned({ peerId, conversationId, userId }: ReceiptEvent): Connection[] {
    if (peerId !== null) return [...this.registry.ofUser(peerId)];
    return [...this.registry.inConversation(conversationId)].filter((connection) => connection.userId !== userId);
  }

  private ownOthers({ userId, exceptConnectionId }: ReceiptEvent): Connection[] {
    return [...this.registry.ofUser(userId)].filter((connection) => connection.id !== exceptConnectionId);
  }

  private async allowedToSee({ userId }: ReceiptEvent, others: Connection[]): Promise<Connection[]> {
    const viewerIds = [...new Set(others.map((connection) => connection.userId))];
    const hidden = await Promise.all(viewerIds.map((viewerId) => this.visibility.hiddenFrom(viewerId, [userId])));
    const allowed = new Set(viewerIds.filter((_viewerId, i) => !hidden[i]!.has(userId)));
    return others.filter((connection) => connection.isOpen && allowed.has(connection.userId));
  }

  private write(connections: Connection[], event: ReceiptEvent): void {
    if (connections.length > 0) this.writer.write(connections, event.event, payloadOf(event));
  }
}

function payloadOf({ event, conversationId, userId, seq, at }: ReceiptEvent): Record<string, unknown> {
  const cursor = event === 'messages-read' ? { readSeq: seq, readAt: at } : { deliveredSeq: seq, deliveredAt: at };
  return { conversationId, userId, ...cursor };
}
