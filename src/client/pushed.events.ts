import type {
  MessageDeletedEvent,
  MessageDeliveredEvent,
  MessagesReadEvent,
  ParticipantAddedEvent,
  ParticipantRemovedEvent,
  ReactionChangedEvent,
} from '../common/wire-events.js';
import type { Conversation, Message } from '../common/wire.js';
import type { CatchUp } from './catch-up.js';
import type { Connection } from './connection.js';
import type { DeliveryMarks } from './delivery.marks.js';
import type { GapFiller } from './gap.filler.js';
import type { HandOver } from './hand-over.js';
import type { Ledger } from './ledger.js';
import type { Sequences } from './sequences.js';
import type { SyncPosition } from './sync.position.js';

const ordered = new Set([
  'new-message',
  'message-edited',
  'message-deleted',
  'reaction-changed',
  'message-delivered',
  'messages-read',
  'conversation-created',
  'conversation-updated',
  'participant-added',
  'participant-removed',
]);

// The first pass delivers the present state of a message, unless it changes at that moment.
const maxPasses = 3;

/** Whether an event has a place in an order; others (typing, presence) are told as they come. */
export function isOrdered(event: string): boolean {
  return ordered.has(event);
}

/**
 * Delivers the events that the server pushes, in the order of arrival. It fills gaps first, and
 * acknowledges what the app has processed.
 */
export class PushedEvents {
  constructor(
    private readonly handOver: HandOver,
    private readonly ledger: Ledger,
    private readonly catchUp: CatchUp,
    private readonly sequences: Sequences,
    private readonly gaps: GapFiller,
    private readonly marks: DeliveryMarks,
    private readonly position: SyncPosition,
  ) {}

  async take(connection: Connection, event: string, payload: unknown): Promise<void> {
    if (connection.isBroken) return;
    const isTaken = await this.handle(connection, event, payload);
    if (isTaken) return this.mark(connection, event, payload);
    this.position.hold();
    this.marks.block((payload as { conversationId?: string }).conversationId ?? '');
  }

  private async handle(connection: Connection, event: string, payload: unknown): Promise<boolean> {
    switch (event) {
      case 'new-message':
        return this.newMessage(connection, payload as Message);
      case 'message-edited':
        return this.handOver.message(event, payload as Message);
      case 'message-deleted':
        return this.handOver.deletion(payload as MessageDeletedEvent);
      case 'reaction-changed':
        return this.reaction(connection, payload as ReactionChangedEvent);
      case 'message-delivered':
      case 'messages-read':
        return this.handOver.receipt(event, payload as MessageDeliveredEvent & MessagesReadEvent);
      case 'conversation-created':
      case 'conversation-updated':
        return this.handOver.conversation(event, payload as Conversation);
      case 'participant-removed':
        return this.removed(connection, payload as ParticipantRemovedEvent);
      default:
        return this.handOver.hand('participant-added', payload as ParticipantAddedEvent);
    }
  }

  private async newMessage(connection: Connection, message: Message): Promise<boolean> {
    const { conversationId, seq } = message;
    const isGap = this.sequences.isGapBefore(conversationId, seq);
    const isWhole = !isGap || (await this.gaps.fill(connection, conversationId, seq));
    if (connection.isBroken) return false;
    this.sequences.note(conversationId, seq, true);
    return (await this.handOver.message('new-message', message)) && isWhole;
  }

  /** A difference: handed over only on top of what it changes. */
  private async reaction(connection: Connection, reaction: ReactionChangedEvent): Promise<boolean> {
    const { messageId, rev } = reaction;
    for (let passes = 0; passes < maxPasses && this.ledger.isNews(messageId, rev); passes++) {
      const isCompleted = await this.catchUp.complete(connection);
      if (isCompleted === null) connection.isBroken = true;
      if (isCompleted === null) return false;
      if (!isCompleted) break;
    }
    return this.handOver.reaction(reaction);
  }

  private async removed(connection: Connection, removal: ParticipantRemovedEvent): Promise<boolean> {
    const isTaken = await this.handOver.hand('participant-removed', removal);
    if (removal.userId !== connection.session?.userId) return isTaken;
    return (await this.handOver.removal(removal.conversationId)) && isTaken;
  }

  private mark(connection: Connection, event: string, payload: unknown): void {
    const { conversationId, seq, rev, scope } = payload as Message & { scope?: string };
    // For the user alone: such a deletion has no rev of its own.
    if (rev === undefined || scope === 'me') return;
    if (event === 'new-message') this.marks.note(connection, conversationId, seq, rev);
    else if (isChange(event)) this.marks.note(connection, conversationId, null, rev);
  }
}

function isChange(event: string): boolean {
  return event === 'message-edited' || event === 'message-deleted' || event === 'reaction-changed';
}
