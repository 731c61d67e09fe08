/** A chat client for tests: the stock Socket.IO client, which records every event it receives. */
import { createSecretKey } from 'node:crypto';
import { SignJWT } from 'jose';
import { io, type Socket } from 'socket.io-client';
import type { ErrorBody } from '../../src/common/index.js';
import { patient } from '../setup/patience.js';

export const testSecret = 'a-secret-for-tests-that-is-long-enough-0123456789';

export interface TokenOptions {
  expiresInSeconds?: number;
  claims?: Record<string, unknown>;
}

/** A token of the tests' own making, as an identity provider would mint it. */
export function tokenFor(
  userId: string,
  { expiresInSeconds = 3_600, claims = {} }: TokenOptions = {},
): Promise<string> {
  const nowSeconds = Math.floor(Date.now() / 1_000);
  return new SignJWT({ iat: nowSeconds, ...claims })
    .setProtectedHeader({ alg: 'HS256' })
    .setSubject(userId)
    .setExpirationTime(nowSeconds + expiresInSeconds)
    .sign(createSecretKey(Buffer.from(testSecret)));
}

/** With which token: this one, or one made for this call. */
export interface CallerOptions extends TokenOptions {
  token?: string;
}

export interface ConnectOptions extends CallerOptions {
  deviceId?: string;
  ackMode?: 'auto' | 'manual';
  reconnection?: boolean;
  /** Default: WebSocket only. */
  transports?: ('websocket' | 'polling')[];
}

export interface Heard<T = any> {
  event: string;
  payload: T;
}

const patienceMs = patient(20_000);

export class TestClient {
  /** All events received so far, in order. */
  readonly heard: Heard[] = [];
  private waiting: (() => void)[] = [];

  constructor(
    readonly socket: Socket,
    readonly userId: string,
  ) {
    socket.onAny((event: string, payload: unknown) => {
      this.heard.push({ event, payload });
      for (const wake of this.waiting.splice(0)) wake();
    });
  }

  /**
   * Sends an event and resolves with `data`; rejects with an error that carries the ErrorBody's
   * fields.
   */
  async ask<T = any>(event: string, ...args: unknown[]): Promise<T> {
    const ack = (await this.socket.timeout(patienceMs).emitWithAck(event, ...args)) as
      { ok: true; data: T } | { ok: false; error: ErrorBody };
    if (ack.ok) return ack.data;
    throw Object.assign(new Error(`${event}: ${ack.error.code} ${ack.error.message}`), ack.error);
  }

  /** Sends an event that must fail, and resolves with its ErrorBody. */
  async refused(event: string, ...args: unknown[]): Promise<ErrorBody> {
    const ack = (await this.socket.timeout(patienceMs).emitWithAck(event, ...args)) as {
      ok: boolean;
      error: ErrorBody;
    };
    if (ack.ok) throw new Error(`${event} was expected to be refused`);
    return ack.error;
  }

  /** Payloads of an event received so far. */
  of<T = any>(event: string): T[] {
    return this.heard.filter((one) => one.event === event).map((one) => one.payload as T);
  }

  /**
   * Resolves with the first payload of an event, received already or within `timeoutMs` (as
   * `patient` takes it), that matches.
   */
  async waitFor<T = any>(
    event: string,
    matches: (payload: T) => boolean = () => true,
    timeoutMs = patienceMs,
  ): Promise<T> {
    return await this.until(() => this.of<T>(event).find(matches), `${event} at ${this.userId}`, timeoutMs);
  }

  /** Resolves when that many payloads of an event have been received. */
  async waitForCount<T = any>(event: string, count: number, timeoutMs = patienceMs): Promise<T[]> {
    return this.until(
      () => (this.of<T>(event).length >= count ? this.of<T>(event) : undefined),
      `${count} ${event}`,
      timeoutMs,
    );
  }

  /** Clears the recorded events. */
  forget(): void {
    this.heard.length = 0;
  }

  close(): void {
    this.socket.disconnect();
  }

  private async until<T>(look: () => T | undefined, what: string, quietMs: number): Promise<T> {
    const timeoutMs = patient(quietMs);
    const deadline = Date.now() + timeoutMs;
    for (;;) {
      const found = look();
      if (found !== undefined) return found;
      const leftMs = deadline - Date.now();
      if (leftMs <= 0)
        throw new Error(
          `not heard within ${timeoutMs} ms: ${what}; heard: ${this.heard.map((one) => one.event).join(', ')}`,
        );
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, leftMs);
        this.waiting.push(() => {
          clearTimeout(timer);
          resolve();
        });
      });
    }
  }
}

/** Connects without waiting. */
export async function open(url: string, userId: string, options: ConnectOptions = {}): Promise<TestClient> {
  const { deviceId, ackMode, reconnection = false } = options;
  const token = options.token ?? (await tokenFor(userId, options));
  const socket = io(url, {
    transports: options.transports ?? ['websocket'],
    forceNew: true,
    reconnection,
    timeout: patient(20_000),
    auth: { token, ...(deviceId === undefined ? {} : { deviceId }), ...(ackMode === undefined ? {} : { ackMode }) },
  });
  return new TestClient(socket, userId);
}

/** Connects and waits for `session-ready`. */
export async function connect(url: string, userId: string, options: ConnectOptions = {}): Promise<TestClient> {
  const client = await open(url, userId, options);
  const refused = new Promise<never>((_, reject) => client.socket.once('connect_error', reject));
  await Promise.race([client.waitFor('session-ready'), refused]);
  refused.catch(() => undefined);
  return client;
}

/** Tries to connect and resolves with the ErrorBody of the refusal. */
export async function refusedConnection(
  url: string,
  auth: Record<string, unknown>,
  options: object = {},
): Promise<ErrorBody> {
  const socket = io(url, { transports: ['websocket'], forceNew: true, reconnection: false, auth, ...options });
  try {
    return await new Promise<ErrorBody>((resolve, reject) => {
      socket.once('connect', () => reject(new Error('the connection was expected to be refused')));
      socket.once('connect_error', (error: Error & { data?: ErrorBody }) =>
        resolve(error.data ?? ({ code: error.message } as ErrorBody)),
      );
    });
  } finally {
    socket.disconnect();
  }
}

export interface RestAnswer<T = any> {
  status: number;
  body: T;
  headers: Headers;
}

/** A REST call as a user. */
export async function rest<T = any>(
  url: string,
  userId: string,
  method: string,
  path: string,
  body?: unknown,
  options: CallerOptions = {},
): Promise<RestAnswer<T>> {
  const response = await fetch(`${url}${path}`, {
    method,
    headers: {
      authorization: `Bearer ${options.token ?? (await tokenFor(userId, options))}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return {
    status: response.status,
    body: (text === '' ? undefined : JSON.parse(text)) as T,
    headers: response.headers,
  };
}
