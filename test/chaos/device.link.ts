import { io, type Socket } from 'socket.io-client';
import type { ErrorBody } from '../../src/common/index.js';
import type { Ask, History } from './history.js';

/** An ack of the server; `null` if the connection ended first. */
export type Reply = { ok: true; data: Record<string, unknown> } | { ok: false; error: ErrorBody } | null;

export interface LinkPlan {
  d: string;
  url: string;
  token: string;
  deviceId: string;
  ackMode: 'auto' | 'manual';
}

interface Waiting {
  resolve: (reply: Reply) => void;
}

const comeBackMs = 500;

/**
 * The stock Socket.IO client as an app sets it up, and the notes about its connections, asks and
 * answers.
 */
export class DeviceLink {
  /** Counts the connections. */
  n = 0;
  isOpen = false;
  /** Handles the events that the server pushes. */
  onEvent: (event: string, payload: unknown) => void = () => undefined;
  onOpen: () => void = () => undefined;
  private static asks = 0;
  private readonly socket: Socket;
  private readonly waiting = new Set<Waiting>();
  private isWanted = false;

  constructor(
    private readonly plan: LinkPlan,
    private readonly history: History,
  ) {
    const { url, token, deviceId, ackMode } = plan;
    this.socket = io(url, {
      autoConnect: false,
      forceNew: true,
      transports: ['websocket'],
      reconnectionDelay: 200,
      reconnectionDelayMax: 2_000,
      timeout: 5_000,
      auth: { token, deviceId, ackMode },
    });
    this.listen();
  }

  connect(): void {
    this.isWanted = true;
    this.socket.connect();
  }

  disconnect(): void {
    this.isWanted = false;
    this.socket.disconnect();
  }

  /** Sends an event and resolves with its ack, however late; at once without a connection. */
  ask(event: string, payload: unknown, about: Partial<Ask> = {}): Promise<Reply> {
    if (!this.isOpen) return Promise.resolve(null);
    const a = (DeviceLink.asks += 1);
    const { d } = this.plan;
    this.history.note({ ...about, k: 'ask', d, n: this.n, a, event });
    return new Promise((resolve) => {
      const waiting = { resolve };
      this.waiting.add(waiting);
      this.socket.emit(event, payload, (reply: NonNullable<Reply>) => {
        this.waiting.delete(waiting);
        this.history.note({ k: 'answer', d, a, ...outcomeOf(reply) });
        this.onAnswer(event, a, reply);
        resolve(reply);
      });
    });
  }

  /** Receives each answer before the caller does, so the app shows it, whoever waits for it. */
  onAnswer: (event: string, a: number, reply: NonNullable<Reply>) => void = () => undefined;

  private listen(): void {
    this.socket.on('connect', () => (this.n += 1));
    this.socket.on('session-ready', () => this.open());
    this.socket.on('disconnect', (reason) => this.close(reason));
    this.socket.on('connect_error', (error: Error & { data?: ErrorBody }) => this.refuse(error.data?.code));
    this.socket.on('error', (error: ErrorBody) =>
      this.history.note({ k: 'refused', d: this.plan.d, code: error.code }),
    );
    this.socket.onAny((event: string, payload: unknown) => this.onEvent(event, payload));
  }

  private open(): void {
    this.isOpen = true;
    this.history.note({ k: 'open', d: this.plan.d, n: this.n });
    this.onOpen();
  }

  private close(why: string): void {
    if (this.isOpen) this.history.note({ k: 'close', d: this.plan.d, n: this.n, why });
    this.isOpen = false;
    for (const { resolve } of this.waiting) resolve(null);
    this.waiting.clear();
    this.comeBack();
  }

  /**
   * @param code of the server's refusal; undefined: nobody answered, and the client tries again by
   * itself
   */
  private refuse(code: string | undefined): void {
    if (code !== undefined) this.history.note({ k: 'refused', d: this.plan.d, code });
    this.comeBack();
  }

  /** The stock client stays away once a server has sent it away. */
  private comeBack(): void {
    setTimeout(() => {
      if (this.isWanted && !this.socket.active) this.socket.connect();
    }, comeBackMs);
  }
}

function outcomeOf(reply: NonNullable<Reply>): { ok: boolean; code?: string; id?: string; seq?: number; rev?: number } {
  if (!reply.ok) return { ok: false, code: reply.error.code };
  const message = reply.data['message'] as { id: string; seq: number; rev: number } | undefined;
  if (!message) return { ok: true };
  const { id, seq, rev } = message;
  const duplicate = reply.data['duplicate'];
  return { ok: true, id, seq, rev, ...(duplicate === undefined ? {} : { duplicate: duplicate as boolean }) };
}
