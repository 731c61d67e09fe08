import type { MessageDeliveredEvent, MessagesReadEvent, ReactionChangedEvent } from '../common/wire-events.js';
import type { Conversation, Message } from '../common/wire.js';
import { ChatError } from './chat-error.js';
import type { DeletedMessage, ParleyEvents } from './client.events.js';
import type { Emitter } from './emitter.js';
import type { CursorNews, Ledger } from './ledger.js';
import type { Sequences } from './sequences.js';

/**
 * Whether a message of this client's own, told by the server, settles one that waits in the outbox.
 */
export type OwnMessageTaker = (message: Message) => boolean;

/**
 * The one door to the app's handlers for everything that has an order. Each method hands over what
 * is news, and remembers it once the handlers are through.
 *
 * Every method resolves with whether the app has it now: false when a handler failed, which has
 * been told as `error`.
 */
export class HandOver {
  private isClosed = false;
  private readonly running = new Set<Promise<unknown>>();

  constructor(
    private readonly events: Emitter<ParleyEvents>,
    private readonly ledger: Ledger,
    private readonly sequences: Sequences,
    private readonly takesOwn: OwnMessageTaker,
  ) {}

  async message(event: 'new-message' | 'message-edited', message: Message): Promise<boolean> {
    if (this.ledger.isNews(message.id, message.rev) && !this.takesOwn(message)) {
      if (!(await this.hand(event, message))) return false;
    }
    this.note(message);
    return true;
  }

  /** A deletion is final: nothing of the message is news after it, whatever comes late. */
  async deletion(deletion: DeletedMessage): Promise<boolean> {
    const { messageId } = deletion;
    if (!this.ledger.isGone(messageId) && !(await this.hand('message-deleted', deletion))) return false;
    this.ledger.noteDeletion(messageId);
    return true;
  }

  async reaction(reaction: ReactionChangedEvent): Promise<boolean> {
    const { messageId: id, rev } = reaction;
    if (this.ledger.isNews(id, rev) && !(await this.hand('reaction-changed', reaction))) return false;
    this.ledger.note({ id, rev });
    return true;
  }

  async receipt(event: 'message-delivered' | 'messages-read', receipt: CursorNews): Promise<boolean> {
    if (
      this.ledger.isFurther(receipt) &&
      !(await this.hand(event, receipt as MessageDeliveredEvent & MessagesReadEvent))
    )
      return false;
    this.ledger.noteCursor(receipt);
    return true;
  }

  async conversation(
    event: 'conversation-created' | 'conversation-updated',
    conversation: Conversation,
  ): Promise<boolean> {
    if (this.ledger.isStale(conversation)) return true;
    if (!(await this.hand(event, conversation))) return false;
    this.ledger.noteConversation(conversation);
    return true;
  }

  /** The user takes part no more. */
  async removal(conversationId: string): Promise<boolean> {
    if (this.ledger.isRemoved(conversationId)) return true;
    if (!(await this.hand('conversation-removed', { conversationId }))) return false;
    this.ledger.noteRemoval(conversationId);
    return true;
  }

  /** Calls the handlers, whatever was handed over before. */
  hand<Name extends keyof ParleyEvents>(event: Name, payload: ParleyEvents[Name]): Promise<boolean> {
    if (this.isClosed) return Promise.resolve(false);
    const running = this.call(event, payload);
    this.running.add(running);
    void running.then(() => this.running.delete(running));
    return running;
  }

  /** From now on nothing is handed over. Resolves when the handlers that run are through. */
  async close(): Promise<void> {
    this.isClosed = true;
    await Promise.all(this.running);
  }

  /** Notes a message that the app got in another way: as the answer to its own request. */
  note(message: Message): void {
    if (message.deletedAt === null) this.ledger.note(message);
    else this.ledger.noteDeletion(message.id);
    this.sequences.note(message.conversationId, message.seq, false);
  }

  private async call<Name extends keyof ParleyEvents>(event: Name, payload: ParleyEvents[Name]): Promise<boolean> {
    try {
      await this.events.emit(event, payload);
      return true;
    } catch (cause) {
      this.fail(ChatError.own('HANDLER_FAILED', { event, cause }));
      return false;
    }
  }

  fail(error: ChatError): void {
    // A handler of `error` that fails has nobody to tell.
    this.events.emit('error', error)?.catch(() => undefined);
  }
}
