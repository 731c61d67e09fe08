import type { ClientEvents } from '../common/wire-events.js';

type Asked<Event extends keyof ClientEvents> = ClientEvents[Event]['request'];
type Answered<Event extends keyof ClientEvents> = Promise<ClientEvents[Event]['answer']>;

/**
 * The verbs of the contract, a method each. Payloads and answers are those of the wire
 * (docs/asyncapi.yaml).
 *
 * Each waits for the session (at most `requestTimeoutMs`) and then for the answer (as long again).
 * It is asked once: what a failure means is for the app to decide, by `retryable` and
 * `retryAfterMs`. Only `send` retries by itself.
 *
 * All reject with ChatError: the server's codes (docs/errors.md), and TIMEOUT | DISCONNECTED (the
 * outcome is unknown) | NOT_CONNECTED | CLOSED.
 *
 * @since 0.1.0
 */
export abstract class ChatVerbs {
  /**
   * Opts in to typing and to others' receipts of a conversation; kept over reconnects. @returns it,
   * and who types there now
   */
  joinConversation(conversationId: string): Answered<'join-conversation'> {
    return this.ask('join-conversation', { conversationId });
  }

  /** Takes {@link joinConversation} back. Membership stays: messages still come. */
  leaveConversation(conversationId: string): Answered<'leave-conversation'> {
    return this.ask('leave-conversation', { conversationId });
  }

  /**
   * @param edit.expectedRev another `rev` of the message is `CONFLICT` @throws ChatError
   * WINDOW_EXPIRED | FORBIDDEN, …
   */
  editMessage(edit: Asked<'edit-message'>): Answered<'edit-message'> {
    return this.ask('edit-message', edit);
  }

  /** @param scope `everyone` (default), or `me`: on all of this user's devices */
  deleteMessage(messageId: string, scope: 'everyone' | 'me' = 'everyone'): Answered<'delete-message'> {
    return this.ask('delete-message', { messageId, scope });
  }

  /** @param emoji one grapheme of emoji presentation */
  addReaction(messageId: string, emoji: string): Answered<'add-reaction'> {
    return this.ask('add-reaction', { messageId, emoji });
  }

  removeReaction(messageId: string, emoji: string): Answered<'remove-reaction'> {
    return this.ask('remove-reaction', { messageId, emoji });
  }

  /**
   * A person has read everything up to a message; implies delivered.
   *
   * @param mark exactly one of `seq`, `messageId`, `messageIds`
   * @returns the user's cursor, which never goes back
   */
  markRead(mark: Asked<'mark-read'>): Answered<'mark-read'> {
    return this.ask('mark-read', mark);
  }

  /**
   * Everything up to `seq` has arrived, and with `rev` all changes up to it. With `ackMode:
   * 'manual'` the client says so by itself, after the app's handlers.
   */
  markDelivered(mark: Asked<'mark-delivered'>): Answered<'mark-delivered'> {
    return this.ask('mark-delivered', mark);
  }

  /** The users who have received and read a message, and when. */
  getMessageStatus(messageId: string): Answered<'get-message-status'> {
    return this.ask('get-message-status', { messageId });
  }

  /**
   * A page of history, ascending by `seq`; without a cursor the newest.
   *
   * @param page.beforeSeq @param page.afterSeq one of them @param page.limit default 50
   */
  getMessages(page: Asked<'get-messages'>): Answered<'get-messages'> {
    return this.ask('get-messages', page);
  }

  /** This device is `online` (default) or `away`, until it says otherwise; kept over reconnects. */
  setOnline(status: 'online' | 'away' = 'online'): Answered<'user-online'> {
    return this.ask('user-online', { status });
  }

  /**
   * This device counts as offline though connected: the app is in the background. Kept over
   * reconnects.
   */
  setOffline(): Answered<'user-offline'> {
    return this.ask('user-offline', undefined);
  }

  /** @param userIds at most 500 */
  getPresence(userIds: string[]): Answered<'get-presence'> {
    return this.ask('get-presence', { userIds });
  }

  /**
   * Changes come as `user-online` and `user-offline`; kept over reconnects. @param userIds at most
   * 500
   */
  subscribePresence(userIds: string[]): Answered<'subscribe-presence'> {
    return this.ask('subscribe-presence', { userIds });
  }

  unsubscribePresence(userIds: string[]): Answered<'unsubscribe-presence'> {
    return this.ask('unsubscribe-presence', { userIds });
  }

  /** To be repeated while the user types, more often than the server's `TYPING_TTL_MS` (5 s). */
  startTyping(conversationId: string): Answered<'typing-start'> {
    return this.ask('typing-start', { conversationId });
  }

  stopTyping(conversationId: string): Answered<'typing-stop'> {
    return this.ask('typing-stop', { conversationId });
  }

  getTypingUsers(conversationId: string): Answered<'get-typing-users'> {
    return this.ask('get-typing-users', { conversationId });
  }

  protected abstract ask<Event extends keyof ClientEvents>(event: Event, payload: Asked<Event>): Answered<Event>;
}
