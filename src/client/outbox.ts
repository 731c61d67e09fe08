import type { SendMessageAnswer } from '../common/wire-events.js';
import type { Message } from '../common/wire.js';
import { backoffMs, pause } from './backoff.js';
import { ChatError, isSignInError } from './chat-error.js';
import type { OutboxEntry, OutgoingMessage, ParleyEvents } from './client.events.js';
import type { Emitter } from './emitter.js';
import type { OutboxStore } from './outbox.store.js';
import { randomId } from './random-id.js';

/** One entry, and who waits for it. */
interface Waiting {
  entry: OutboxEntry;
  stored: Promise<unknown>;
  tries: number;
  isOver: boolean;
  promise: Promise<SendMessageAnswer>;
  resolve: (answer: SendMessageAnswer) => void;
  reject: (error: ChatError) => void;
}

/** Sends an entry over the present connection. */
type Transmit = (entry: OutboxEntry) => Promise<SendMessageAnswer>;

/** Conversations whose messages are on their way at the same time. */
const maxInFlight = 8;

/**
 * Keeps the messages that the app sends until the server has stored them. It writes a message to
 * the storage before the first try and repeats it with the same `clientMessageId`. It sends one
 * message of a conversation at a time, so that nothing overtakes a retry (ADR-0015).
 */
export class Outbox {
  private waiting: Waiting[] = [];
  private readonly busy = new Set<string>();
  private transmit: Transmit | null = null;
  /** Nothing is written before what is there has been read. */
  private readonly loaded: Promise<void>;
  private markLoaded!: () => void;

  constructor(
    private readonly store: OutboxStore,
    private readonly events: Emitter<ParleyEvents>,
    private readonly limit: number,
  ) {
    this.loaded = new Promise((resolve) => (this.markLoaded = resolve));
  }

  /** Takes over what earlier runs of the app left; before what this one has added meanwhile. */
  async load(): Promise<void> {
    const left = (await this.store.load()).map((entry) => waitingOf(entry, Promise.resolve()));
    this.waiting = [...left, ...this.waiting];
    this.markLoaded();
    this.work();
  }

  entries(): OutboxEntry[] {
    return this.waiting.map(({ entry }) => entry);
  }

  /** @returns settles with the message; a second one under the same id joins the first */
  add(message: OutgoingMessage): Promise<SendMessageAnswer> {
    const { conversationId, clientMessageId = null } = message;
    const known = clientMessageId === null ? undefined : this.find(conversationId, clientMessageId);
    if (known) return known.promise;
    if (this.waiting.length >= this.limit)
      return Promise.reject(ChatError.own('OUTBOX_FULL', { event: 'send-message' }));
    const id = clientMessageId ?? randomId();
    const request = { ...message, clientMessageId: id };
    const entry = { conversationId, clientMessageId: id, message: request, queuedAt: new Date().toISOString() };
    const stored = this.loaded.then(() => this.store.add(entry, () => this.entries()));
    const one = waitingOf(entry, stored);
    this.waiting.push(one);
    void one.stored.then(() => this.tell('message-queued', entry));
    this.work();
    return one.promise;
  }

  /** Takes a message back that is not on its way. @returns whether it will not be sent */
  cancel(conversationId: string, clientMessageId: string): boolean {
    const one = this.find(conversationId, clientMessageId);
    const isFirst = this.waiting.find(({ entry }) => entry.conversationId === conversationId) === one;
    // The first of a conversation may have been stored by a try whose answer was lost.
    if (!one || (isFirst && one.tries > 0)) return false;
    this.fail(one, ChatError.own('CANCELLED', { event: 'send-message' }));
    return true;
  }

  /**
   * The server tells of a message that is waiting here: a try whose answer was lost. @returns
   * whether it is one
   */
  settle(message: Message): boolean {
    const { conversationId, clientMessageId } = message;
    const one = clientMessageId === null ? undefined : this.find(conversationId, clientMessageId);
    if (one) this.finish(one, { message, duplicate: true });
    return one !== undefined;
  }

  /** A session is on. */
  begin(transmit: Transmit): void {
    this.transmit = transmit;
    this.work();
  }

  /** The session is over; what was on its way is tried again by the next. */
  end(): void {
    this.transmit = null;
  }

  /** Nobody will be told any more; what waits stays stored. */
  close(): void {
    this.end();
    for (const one of this.waiting) one.reject(ChatError.own('CLOSED', { event: 'send-message' }));
  }

  /** Forgets what waits, and what is stored of it. */
  async clear(): Promise<void> {
    const gone = this.waiting;
    this.waiting = [];
    await Promise.all(gone.map(({ entry }) => this.store.remove(entry, () => this.entries())));
  }

  private find(conversationId: string, clientMessageId: string): Waiting | undefined {
    return this.waiting.find(
      ({ entry }) => entry.clientMessageId === clientMessageId && entry.conversationId === conversationId,
    );
  }

  private work(): void {
    if (!this.transmit) return;
    for (const one of this.waiting) {
      if (this.busy.size >= maxInFlight) return;
      if (!this.busy.has(one.entry.conversationId)) void this.attempt(one);
    }
  }

  private async attempt(one: Waiting): Promise<void> {
    const { conversationId } = one.entry;
    this.busy.add(conversationId);
    try {
      await one.stored;
      const { transmit } = this;
      if (transmit && !one.isOver) {
        one.tries += 1;
        this.finish(one, await transmit(one.entry));
      }
    } catch (error) {
      await this.judge(one, error as ChatError);
    }
    this.busy.delete(conversationId);
    this.work();
  }

  /** Waits before the next try, or gives up. */
  private async judge(one: Waiting, error: ChatError): Promise<void> {
    // Without a session there is nothing to wait for but the next one, which works on.
    if (one.isOver || !this.transmit) return;
    // After a sign-in error the server disconnects, and the next session has a fresh token.
    if (!error.retryable && !isSignInError(error)) return this.fail(one, error);
    await pause(error.retryAfterMs ?? backoffMs(one.tries, 500, 10_000));
  }

  private finish(one: Waiting, answer: SendMessageAnswer): void {
    if (!this.take(one)) return;
    one.resolve(answer);
    this.tell('message-sent', { entry: one.entry, ...answer });
  }

  private fail(one: Waiting, error: ChatError): void {
    if (!this.take(one)) return;
    one.reject(error);
    this.tell('message-failed', { entry: one.entry, error });
  }

  /** @returns false: it was settled before */
  private take(one: Waiting): boolean {
    if (one.isOver) return false;
    one.isOver = true;
    this.waiting = this.waiting.filter((other) => other !== one);
    void this.loaded.then(() => this.store.remove(one.entry, () => this.entries()));
    return true;
  }

  private tell<Name extends 'message-queued' | 'message-sent' | 'message-failed'>(
    event: Name,
    payload: ParleyEvents[Name],
  ): void {
    this.events
      .emit(event, payload)
      ?.catch((cause: unknown) => this.events.emit('error', ChatError.own('HANDLER_FAILED', { event, cause })));
  }
}

function waitingOf(entry: OutboxEntry, stored: Promise<unknown>): Waiting {
  const settlers = {} as Pick<Waiting, 'resolve' | 'reject'>;
  const promise = new Promise<SendMessageAnswer>((resolve, reject) => Object.assign(settlers, { resolve, reject }));
  // An app that only listens to `message-failed` must not end by an unhandled rejection.
  promise.catch(() => undefined);
  return { entry, stored, tries: 0, isOver: false, promise, ...settlers };
}
