import type { Socket } from 'socket.io';
import type { Actor } from '../auth/index.js';
import type { Position } from '../database/index.js';
import { ArrivalOrder } from './arrival-order.js';

/** What this file uses of an Engine.IO socket beyond its types. */
interface CuttableTransport {
  close(discard: boolean): void;
  transport: { socket?: { terminate(): void }; res?: { destroy(): void } | null };
}

/** How the server learns that a message reached the device (contract, section 1). */
export type AckMode = 'auto' | 'manual';

// More than are ever on their way at once of a socket within its rate; a later gap brings back at
// worst a repeat.
const maxOwnMessages = 64;
// Most sockets are idle: what they may never need, they share.
const none: ReadonlySet<string> = new Set();

/**
 * One socket of one device of one user, on this node.
 *
 * Until `session-ready` has been sent, events for it are held back, so that this is the first thing
 * a client hears.
 */
export class Connection {
  readonly arrivals = new ArrivalOrder();
  /**
   * The `syncToken` this socket was told last; connections that asked at the same time share it.
   */
  toldPosition: Position | null = null;
  private joinedIds: Set<string> | null = null;
  private readonly ownMessages: string[] = [];
  private ownCount = 0;
  private held: [event: string, payload: unknown][] | null = [];

  constructor(
    readonly socket: Socket,
    readonly actor: Actor,
    readonly sessionId: string,
    readonly ackMode: AckMode,
  ) {}

  get id(): string {
    return this.socket.id;
  }

  get userId(): string {
    return this.actor.userId;
  }

  get deviceId(): string {
    return this.actor.deviceId ?? 'default';
  }

  /** Conversations whose ephemeral events this socket asked for (`join-conversation`). */
  get joined(): ReadonlySet<string> {
    return this.joinedIds ?? none;
  }

  /** Called by the registry, which finds connections by what they joined. */
  join(conversationId: string): void {
    this.joinedIds ??= new Set();
    this.joinedIds.add(conversationId);
  }

  leave(conversationId: string): void {
    this.joinedIds?.delete(conversationId);
  }

  get isOpen(): boolean {
    return this.socket.connected;
  }

  /**
   * Remembers what this socket sends, before it is committed: its answer is the ack, so neither a
   * backlog nor a filled gap, which both read from Postgres, tells it again.
   */
  noteOwn(messageId: string): void {
    this.ownMessages[this.ownCount++ % maxOwnMessages] = messageId;
  }

  /**
   * The outcome of a send is unknown: if it was committed, the socket is to hear of it after all.
   */
  disownMessage(messageId: string): void {
    const at = this.ownMessages.indexOf(messageId);
    if (at >= 0) this.ownMessages[at] = '';
  }

  isOwn(messageId: string): boolean {
    return this.ownMessages.includes(messageId);
  }

  /** Holds an event back while the session is not announced yet. @returns whether it was held */
  hold(event: string, payload: unknown): boolean {
    if (this.held === null) return false;
    this.held.push([event, payload]);
    return true;
  }

  /** Sends one event to this socket only, after what was held back. */
  emit(event: string, payload: unknown): void {
    if (!this.hold(event, payload)) this.socket.emit(event, payload);
  }

  /** Sends `session-ready` and then everything held back so far, in order. */
  open(sessionReady: unknown): void {
    const held = this.held ?? [];
    this.held = null;
    this.socket.emit('session-ready', sessionReady);
    for (const [event, payload] of held) this.socket.emit(event, payload);
  }

  /** Ends the transport without waiting for what is unread; a stock client reconnects. */
  cut(): void {
    const { conn } = this.socket as unknown as { conn: CuttableTransport };
    conn.close(true);
    conn.transport.socket?.terminate();
    conn.transport.res?.destroy();
  }

  /**
   * Tells the client why, then disconnects it; a stock client does not reconnect by itself after
   * this.
   */
  refuse(error: unknown): void {
    this.held = null;
    this.socket.emit('error', error);
    this.socket.disconnect(true);
  }
}
