/**
 * A Socket.IO server for tests of the client SDK. The test decides its answers, right and wrong
 * ones.
 */
import { createServer, type Server as HttpServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { Server, type Socket } from 'socket.io';
import type { Message, SyncAnswer } from '../../src/client/index.js';

export interface Asked {
  event: string;
  payload: any;
}

/**
 * Returns the answer; undefined means the usual one. A thrown {@link refusal} is sent as a refusal.
 * A promise that never settles sends no answer.
 */
export type Script = (asked: Asked, socket: Socket) => unknown;

export class ScriptedServer {
  readonly asked: Asked[] = [];
  readonly handshakes: Record<string, unknown>[] = [];
  /** Refuses handshakes: the ErrorBody, or undefined. */
  gate: () => object | undefined = () => undefined;
  script: Script = () => undefined;
  userId = 'me';
  /** The position, while it does not move on. */
  syncToken: string | null = null;
  private readonly io: Server;
  private sessions = 0;

  private constructor(private readonly http: HttpServer) {
    this.io = new Server(http, { transports: ['websocket'] });
    this.io.use((socket, next) => {
      this.handshakes.push(socket.handshake.auth);
      const refusal = this.gate();
      next(refusal && Object.assign(new Error('refused'), { data: { message: '', retryable: false, ...refusal } }));
    });
    this.io.on('connection', (socket) => this.greet(socket));
  }

  static async start(): Promise<ScriptedServer> {
    const http = createServer().listen(0, '127.0.0.1');
    await once(http, 'listening');
    return new ScriptedServer(http);
  }

  get url(): string {
    return `http://127.0.0.1:${(this.http.address() as AddressInfo).port}`;
  }

  /** Tells every socket. */
  push(event: string, payload: unknown): void {
    this.io.emit(event, payload);
  }

  /** Ends every connection at the transport. */
  cut(): void {
    for (const socket of this.io.sockets.sockets.values()) socket.conn.close();
  }

  /** Says why, and disconnects, as the server does. */
  refuse(error: object): void {
    for (const socket of this.io.sockets.sockets.values()) {
      socket.emit('error', { message: '', retryable: false, requestId: 'r', ...error });
      socket.disconnect(true);
    }
  }

  payloads(event: string): any[] {
    return this.asked.filter((one) => one.event === event).map(({ payload }) => payload);
  }

  async stop(): Promise<void> {
    await this.io.close();
  }

  private greet(socket: Socket): void {
    socket.onAny((event: string, ...args: unknown[]) => void this.answer(socket, event, args));
    socket.emit('session-ready', {
      userId: this.userId,
      deviceId: 'default',
      sessionId: `${(this.sessions += 1)}`,
      ...this.pulse(),
      heartbeatIntervalMs: 60_000,
    });
  }

  private async answer(socket: Socket, event: string, args: unknown[]): Promise<void> {
    const ack = args.pop() as (answer: object) => void;
    const asked = { event, payload: args[0] };
    this.asked.push(asked);
    try {
      ack({ ok: true, data: (await this.script(asked, socket)) ?? this.usual(asked) });
    } catch (error) {
      ack({ ok: false, error: { message: '', retryable: false, requestId: 'r', ...(error as object) } });
    }
  }

  private usual({ event, payload }: Asked): unknown {
    if (event === 'heartbeat') return this.pulse();
    if (event === 'sync') return syncAnswer();
    if (event === 'get-messages') return { messages: [], hasMore: false };
    if (event === 'send-message') {
      return { message: messageOf(this.asked.length, { ...payload, senderId: this.userId }), duplicate: false };
    }
    return {};
  }

  private pulse(): object {
    return { serverTime: new Date().toISOString(), syncToken: this.syncToken ?? `t${Date.now()}` };
  }
}

/** To be thrown by a {@link Script}. */
export function refusal(error: { code: string; retryable?: boolean; retryAfterMs?: number }): Error {
  return Object.assign(new Error(error.code), error);
}

export function messageOf(seq: number, more: Partial<Message> = {}): Message {
  return {
    id: `m${seq}`,
    conversationId: 'c1',
    seq,
    rev: seq,
    senderId: 'other',
    clientMessageId: null,
    type: 'text',
    content: { text: `${seq}` },
    replyTo: null,
    mentions: [],
    reactions: {},
    createdAt: new Date().toISOString(),
    editedAt: null,
    deletedAt: null,
    expiresAt: null,
    ...more,
  };
}

export function syncAnswer(more: Partial<SyncAnswer> = {}): SyncAnswer {
  const nothing = { conversations: [], messages: [], receipts: [], hidden: [], removed: [] };
  return { ...nothing, next: 'next', hasMore: false, ...more };
}
