import { Injectable, Logger } from '@nestjs/common';
import { KeyedQueue, ReceiptVisibility, type Withheld, type WithheldReceipts } from '../conversations/index.js';
import { ConnectionRegistry, PacketWriter, type Connection } from '../realtime/index.js';
import { NodeBus } from '../redis/index.js';
import type { ReceiptEvent } from './receipt.js';
import { ReceiptProgress } from './receipt.progress.js';

const topic = 'receipts';

/**
 * Sends receipts to the sockets concerned, on this node and all others (contract, section 5).
 *
 * A direct conversation: all sockets of the peer. A group: the other participants' sockets that
 * joined it. Read cursors also reach the reader's own other sockets. Nobody is told of cursors that
 * are withheld from them ({@link ReceiptVisibility}). At most once; from whatever nodes they come,
 * each cursor only grows. What is lost is found again by `sync`.
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
      if (event.event === 'messages-read') this.write(this.ownOthers(event), event);
      const others = this.othersConcerned(event);
      if (others.length > 0) this.deliver(event, others);
    }
  }

  /** In order, though whether somebody may see it can take a look-up. */
  private deliver(event: ReceiptEvent, others: Connection[]): void {
    if (!this.queue.isIdle(event.conversationId)) return this.deliverLater(event, () => this.viewersOf(event, others));
    const viewers = this.viewersOf(event, others);
    if (viewers instanceof Promise) this.deliverLater(event, () => viewers);
    else this.write(viewers, event);
  }

  private deliverLater(event: ReceiptEvent, viewers: () => Connection[] | Promise<Connection[]>): void {
    this.queue
      .run(event.conversationId, async () => this.write(await viewers(), event))
      .catch((error: unknown) => this.logger.warn(`a receipt was not told: ${String(error)}`));
  }

  private othersConcerned({ peerId, conversationId, userId }: ReceiptEvent): Connection[] {
    if (peerId !== null) return [...this.registry.ofUser(peerId)];
    return [...this.registry.inConversation(conversationId)].filter((connection) => connection.userId !== userId);
  }

  private ownOthers({ userId, exceptConnectionId }: ReceiptEvent): Connection[] {
    return [...this.registry.ofUser(userId)].filter((connection) => connection.id !== exceptConnectionId);
  }

  private viewersOf({ event, userId }: ReceiptEvent, others: Connection[]): Connection[] | Promise<Connection[]> {
    const allowed = (withheld: WithheldReceipts): Connection[] =>
      withheld.size === 0 ? others : others.filter((one) => maySee(event, withheld.get(one.userId)));
    const viewerIds = [...new Set(others.map((connection) => connection.userId))];
    const withheld = this.visibility.withheldOf(userId, viewerIds);
    if (!(withheld instanceof Promise)) return allowed(withheld);
    return withheld.then((known) => allowed(known).filter(({ isOpen }) => isOpen));
  }

  private write(connections: Connection[], event: ReceiptEvent): void {
    if (connections.length > 0) this.writer.write(connections, event.event, payloadOf(event));
  }
}

function maySee(event: ReceiptEvent['event'], withheld: Withheld | undefined): boolean {
  return withheld === undefined || (withheld === 'read' && event === 'message-delivered');
}

function payloadOf({ event, conversationId, userId, seq, at }: ReceiptEvent): Record<string, unknown> {
  const cursor = event === 'messages-read' ? { readSeq: seq, readAt: at } : { deliveredSeq: seq, deliveredAt: at };
  return { conversationId, userId, ...cursor };
}
