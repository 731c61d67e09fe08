import { io, type Socket } from 'socket.io-client';
import type { SessionReady } from '../common/wire-events.js';
import { backoffMs, pause } from './backoff.js';
import { ChatError } from './chat-error.js';
import type { ClientSettings } from './client.options.js';

/** How a connection ended. */
export interface Ending {
  /**
   * `lost`: the link broke or fell silent. `refused`: the server said no. `dropped`: by this side.
   */
  reason: 'lost' | 'refused' | 'dropped';
  error: ChatError | null;
}

/** Receives the events of a connection; none after `ended`. */
export interface ConnectionListener {
  ready(connection: Connection, session: SessionReady): void;
  event(connection: Connection, event: string, payload: unknown): void;
  ended(connection: Connection, ending: Ending): void;
}

const insistence = { baseMs: 500, maxMs: 10_000 };

type Answer = { ok: true; data: unknown } | { ok: false; error: unknown };
type Plan = Pick<ClientSettings, 'url' | 'transports' | 'socketOptions' | 'connectTimeoutMs' | 'requestTimeoutMs'>;

/**
 * One connection, from dialling to its end; never used again after it. Nothing is kept for the next
 * one: a stock socket would send what was asked of it while it was away, whether or not anybody
 * still waits for the answer.
 */
export class Connection {
  session: SessionReady | null = null;
  isOver = false;
  /**
   * Something on this connection could not be handed over: what came after it is not in order, and
   * what follows proves nothing.
   */
  isBroken = false;
  private readonly socket: Socket;
  private readonly waiting = new Set<(error: ChatError) => void>();
  private readonly patience: ReturnType<typeof setTimeout>;
  private lastError: unknown = null;

  constructor(
    private readonly plan: Plan,
    auth: Record<string, string>,
    private readonly listener: ConnectionListener,
  ) {
    this.socket = io(plan.url, {
      transports: plan.transports,
      ...plan.socketOptions,
      auth,
      forceNew: true,
      reconnection: false,
    });
    this.patience = setTimeout(() => this.end({ reason: 'lost', error: null }), plan.connectTimeoutMs);
    this.listen();
  }

  /**
   * Sends an event and resolves with its answer's `data`.
   *
   * @throws ChatError the server's | TIMEOUT (and the connection ends: every packet is answered, so
   *   its link is dead) | DISCONNECTED
   */
  request(event: string, payload?: unknown): Promise<unknown> {
    if (this.isOver) return Promise.reject(ChatError.own('NOT_CONNECTED', { event }));
    return new Promise((resolve, reject) => {
      this.waiting.add(reject);
      const answered = (silence: Error | null, answer: Answer): void => {
        if (!this.waiting.delete(reject)) return;
        if (silence) {
          reject(ChatError.own('TIMEOUT', { event }));
          this.end({ reason: 'lost', error: null });
        } else if (answer.ok) resolve(answer.data);
        else reject(ChatError.from(answer.error));
      };
      const socket = this.socket.timeout(this.plan.requestTimeoutMs);
      if (payload === undefined) socket.emit(event, answered);
      else socket.emit(event, payload, answered);
    });
  }

  /**
   * As {@link request}, again and again while the error is retryable; waits as the server asks,
   * else with growing waits.
   *
   * @returns null: the connection ended first
   * @throws ChatError one that is not retryable
   */
  async insist<T>(event: string, payload: unknown): Promise<T | null> {
    for (let tries = 1; !this.isOver; tries++) {
      try {
        return (await this.request(event, payload)) as T;
      } catch (error) {
        if (this.isOver) return null;
        if (!(error instanceof ChatError) || !error.retryable) throw error;
        await pause(error.retryAfterMs ?? backoffMs(tries, insistence.baseMs, insistence.maxMs));
      }
    }
    return null;
  }

  /** Ends it; everything not answered yet is rejected. */
  end(ending: Ending): void {
    if (this.isOver) return;
    this.isOver = true;
    clearTimeout(this.patience);
    this.socket.offAny();
    const unanswered = [...this.waiting];
    // First: the socket, too, answers what it waits for when it ends, as if it had timed out.
    this.waiting.clear();
    this.socket.disconnect();
    for (const reject of unanswered) reject(ChatError.own('DISCONNECTED'));
    this.listener.ended(this, ending);
  }

  private listen(): void {
    const { socket } = this;
    socket.onAny((event: string, payload: unknown) => this.hear(event, payload));
    socket.on('connect_error', (error: Error & { data?: unknown }) =>
      this.end(error.data ? { reason: 'refused', error: ChatError.from(error.data) } : { reason: 'lost', error: null }),
    );
    socket.on('disconnect', (reason) => {
      const isSentAway = reason === 'io server disconnect' && this.lastError !== null;
      this.end(
        isSentAway ? { reason: 'refused', error: ChatError.from(this.lastError) } : { reason: 'lost', error: null },
      );
    });
  }

  private hear(event: string, payload: unknown): void {
    if (this.isOver) return;
    // Every request has an ack callback: what comes as `error` says why the server is about to
    // disconnect.
    if (event === 'error') this.lastError = payload;
    if (event === 'session-ready') {
      clearTimeout(this.patience);
      this.session = payload as SessionReady;
      this.listener.ready(this, this.session);
    } else this.listener.event(this, event, payload);
  }
}
