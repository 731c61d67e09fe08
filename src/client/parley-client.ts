import type { ClientEvents, SendMessageAnswer, SessionReady } from '../common/wire-events.js';
import { ChatVerbs } from './chat-verbs.js';
import type { OutboxEntry, OutgoingMessage, ParleyEvents } from './client.events.js';
import { settingsOf, type ClientOptions } from './client.options.js';
import type { ConnectionState } from './dialer.js';
import { Emitter, type Handler } from './emitter.js';
import { Session } from './session.js';

type RequestOf<Exchange> = Exchange extends { request: infer Request } ? Request : never;
type AnswerOf<Exchange> = Exchange extends { answer: infer Answer } ? Answer : never;
type AnyHandler = Handler<ParleyEvents[keyof ParleyEvents]>;
type PayloadOf<Exchange> =
  undefined extends RequestOf<Exchange> ? [payload?: RequestOf<Exchange>] : [payload: RequestOf<Exchange>];

/**
 * One device of one user: a connection that is kept, an outbox that loses nothing, events that come
 * once and in order.
 *
 * - **Sending**: {@link send} resolves when the message is stored, after however many tries; it is
 *   stored once, and messages of a conversation in the order in which they were sent. With a
 *   `storage` that lasts, also over restarts of the app.
 * - **Receiving**: no state of a message twice, none after a newer one, whatever the server
 *   repeats; after each connect what was missed goes first. An event that no handler has processed
 *   comes again on the next connection.
 * - **Connection**: comes back by itself after everything but a refusal that is final (`state`:
 *   `stopped` with the error).
 *
 * Register handlers before {@link connect}: what comes while there is none counts as taken.
 *
 * @example
 * ```ts
 * const client = new ParleyClient({ url, token: () => getToken(), deviceId: 'phone-1', storage: localStorage });
 * client.on('new-message', (message) => show(message));
 * await client.connect();
 * await client.send({ conversationId, content: { text: 'Hello!' } });
 * ```
 * @typeParam Verbs,Events events of the server's own extensions, beside those of the contract; see
 *   docs/client.md
 * @since 0.1.0
 */
export class ParleyClient<Verbs extends object = object, Events extends object = object> extends ChatVerbs {
  private readonly events = new Emitter<ParleyEvents>();
  private readonly inner: Session;

  constructor(options: ClientOptions) {
    super();
    this.inner = new Session(settingsOf(options), this.events);
  }

  get state(): ConnectionState {
    return this.inner.state;
  }

  /** The present session; null while there is none. */
  get session(): SessionReady | null {
    return this.inner.current;
  }

  /**
   * The server's clock less this device's, in milliseconds, by the last heartbeat; 0 before the
   * first session.
   */
  get clockOffsetMs(): number {
    return this.inner.clockOffsetMs;
  }

  /**
   * Calls a handler at each event. A promise it returns is waited for before the next event that
   * has an order is handed over; one that rejects is told as `error` (`HANDLER_FAILED`).
   *
   * @returns takes the handler away again
   */
  on<Name extends keyof (ParleyEvents & Events)>(
    name: Name,
    handler: Handler<(ParleyEvents & Events)[Name]>,
  ): () => void {
    return this.events.on(name as keyof ParleyEvents, handler as AnyHandler);
  }

  off<Name extends keyof (ParleyEvents & Events)>(name: Name, handler: Handler<(ParleyEvents & Events)[Name]>): void {
    this.events.off(name as keyof ParleyEvents, handler as AnyHandler);
  }

  /**
   * Connects, and stays connected until {@link disconnect}, {@link close} or a final refusal; while
   * it waits, tries at once.
   *
   * @returns the session, as soon as there is one
   * @throws ChatError CLOSED | the refusal that is final: UNAUTHENTICATED | TOKEN_EXPIRED |
   *   TOKEN_REVOKED (another token does not help, or there is none) | VALIDATION_FAILED | FORBIDDEN
   *   (the device was removed) | WRONG_USER
   */
  connect(): Promise<SessionReady> {
    return this.inner.connect();
  }

  /** Disconnects until {@link connect}. Messages sent meanwhile wait. */
  disconnect(): void {
    this.inner.disconnect();
  }

  /**
   * Sends an event of the contract, or of an extension.
   *
   * @returns the answer's `data`
   * @throws ChatError as {@link ChatVerbs} says
   */
  request<Name extends keyof (ClientEvents & Verbs) & string>(
    event: Name,
    ...[payload]: PayloadOf<(ClientEvents & Verbs)[Name]>
  ): Promise<AnswerOf<(ClientEvents & Verbs)[Name]>> {
    return this.inner.request(event, payload) as Promise<AnswerOf<(ClientEvents & Verbs)[Name]>>;
  }

  /**
   * Sends a message, through the outbox: connected or not, again until the server has answered,
   * stored once.
   *
   * @param message `content` by its `type` (default `text`: `{ text }`); `clientMessageId` 1 to 128
   *   characters, made up where left out
   * @returns the stored message; `duplicate`: an earlier try had got through
   * @throws ChatError what the server refused for good (VALIDATION_FAILED, FORBIDDEN, NOT_FOUND,
   *   CONFLICT, …) | OUTBOX_FULL | CANCELLED | CLOSED. Nobody needs to catch it: it is told as
   *   `message-failed`, too, but for OUTBOX_FULL and CLOSED.
   * @fires message-queued, then message-sent or message-failed
   */
  send(message: OutgoingMessage): Promise<SendMessageAnswer> {
    return this.inner.send(message);
  }

  /** The messages that wait to be sent, oldest first, also from before a restart of the app. */
  pendingMessages(): Promise<OutboxEntry[]> {
    return this.inner.pendingMessages();
  }

  /**
   * Takes back a message of which no try has been made. @returns whether it will not be sent @fires
   * message-failed
   */
  cancelMessage({ conversationId, clientMessageId }: Pick<OutboxEntry, 'conversationId' | 'clientMessageId'>): boolean {
    return this.inner.cancelMessage(conversationId, clientMessageId);
  }

  /**
   * Ends the client for good: tells the server what the handlers have taken, hangs up, and waits
   * until what is to be stored is stored. Everything still waited for rejects with `CLOSED`; unsent
   * messages stay in the storage.
   */
  close(): Promise<void> {
    return this.inner.close();
  }

  /**
   * At sign-out, after {@link close}: takes everything of this user out of the storage, unsent
   * messages included.
   */
  forget(): Promise<void> {
    return this.inner.forget();
  }

  protected override ask<Event extends keyof ClientEvents>(
    event: Event,
    payload: ClientEvents[Event]['request'],
  ): Promise<ClientEvents[Event]['answer']> {
    return this.inner.request(event, payload) as Promise<ClientEvents[Event]['answer']>;
  }
}
