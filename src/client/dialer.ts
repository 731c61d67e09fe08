import type { SessionReady } from '../common/wire-events.js';
import { backoffMs } from './backoff.js';
import { ChatError, isSignInError } from './chat-error.js';
import type { ClientSettings } from './client.options.js';
import { Connection, type ConnectionListener, type Ending } from './connection.js';
import type { TokenSource } from './token.source.js';

/**
 * `stopped`: not wanted, or given up (see `error`). `connecting`: on the way to `session-ready`.
 * `online`. `waiting`: until the next try. `closed`: for good.
 */
export type ConnectionState = 'stopped' | 'connecting' | 'online' | 'waiting' | 'closed';

/** Payload of `state`. */
export interface StateChange {
  state: ConnectionState;
  /** Why there is no connection; null where nobody said. */
  error: ChatError | null;
  /** Until the next try; null outside `waiting`. */
  retryInMs: number | null;
}

/** The part of the owner that the dialer needs. */
export interface DialerListener extends ConnectionListener {
  state(change: StateChange): void;
  /** Resolves when a new connection may be made: what the last one brought has been taken. */
  room(): Promise<void>;
}

// A fresh token that is refused, too, will not get better by asking on.
const maxSignInRefusals = 2;

/**
 * Keeps one connection open: dials, waits, dials again, and gives up where the server's refusal is
 * final.
 */
export class Dialer {
  state: ConnectionState = 'stopped';
  connection: Connection | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private attempt = 0;
  private failures = 0;
  private signInRefusals = 0;

  constructor(
    private readonly settings: ClientSettings,
    private readonly tokens: TokenSource,
    private readonly listener: DialerListener,
  ) {}

  /** Dials now, unless it is connected or connecting. */
  start(): void {
    if (this.state === 'connecting' || this.state === 'online' || this.state === 'closed') return;
    this.hurryWhenOnline(true);
    void this.dial();
  }

  /** Hangs up, and stays so until {@link start}. */
  stop(error: ChatError | null = null, state: 'stopped' | 'closed' = 'stopped'): void {
    if (this.state === 'closed') return;
    this.attempt += 1;
    clearTimeout(this.timer);
    this.hurryWhenOnline(false);
    this.failures = 0;
    this.signInRefusals = 0;
    this.change(state, error);
    this.hangUp();
  }

  private async dial(): Promise<void> {
    const attempt = (this.attempt += 1);
    clearTimeout(this.timer);
    this.change('connecting');
    try {
      await this.listener.room();
      const token = await this.tokens.take(Date.now());
      if (attempt === this.attempt) this.open(token);
    } catch (error) {
      if (attempt === this.attempt) this.wait(error as ChatError);
    }
  }

  private open(token: string): void {
    const { deviceId, ackMode } = this.settings;
    this.connection = new Connection(
      this.settings,
      { token, deviceId, ackMode },
      {
        ready: (connection, session) => this.ready(connection, session),
        event: (connection, event, payload) => this.listener.event(connection, event, payload),
        ended: (connection, ending) => this.ended(connection, ending),
      },
    );
  }

  private ready(connection: Connection, session: SessionReady): void {
    this.failures = 0;
    this.signInRefusals = 0;
    this.listener.ready(connection, session);
    if (!connection.isOver) this.change('online');
  }

  private ended(connection: Connection, { reason, error }: Ending): void {
    if (connection === this.connection) this.connection = null;
    this.listener.ended(connection, { reason, error });
    if (this.state === 'stopped' || this.state === 'closed') return;
    if (error && isSignInError(error)) return this.signInRefused(error);
    if (reason === 'refused' && error && !isWorthATry(error)) return this.stop(error);
    this.wait(error);
  }

  private signInRefused(error: ChatError): void {
    this.tokens.discard();
    this.signInRefusals += 1;
    if (!this.tokens.canRenew || this.signInRefusals > maxSignInRefusals) return this.stop(error);
    if (this.signInRefusals === 1) void this.dial();
    else this.wait(error);
  }

  private wait(error: ChatError | null): void {
    this.failures += 1;
    const { reconnectDelayMs, reconnectDelayMaxMs } = this.settings;
    const retryInMs = Math.max(
      error?.retryAfterMs ?? 0,
      backoffMs(this.failures, reconnectDelayMs, reconnectDelayMaxMs),
    );
    this.timer = setTimeout(() => void this.dial(), retryInMs);
    this.change('waiting', error, retryInMs);
  }

  private hangUp(): void {
    this.connection?.end({ reason: 'dropped', error: null });
  }

  private change(state: ConnectionState, error: ChatError | null = null, retryInMs: number | null = null): void {
    this.state = state;
    this.listener.state({ state, error, retryInMs });
  }

  private readonly hurry = (): void => {
    if (this.state === 'waiting') void this.dial();
  };

  /** Browsers tell when the network is back. */
  private hurryWhenOnline(isWanted: boolean): void {
    const { addEventListener, removeEventListener } = globalThis as Partial<EventTarget>;
    removeEventListener?.call(globalThis, 'online', this.hurry);
    if (isWanted) addEventListener?.call(globalThis, 'online', this.hurry);
  }
}

/** `INTERNAL` is a bug of the server's, which its next version may not have. */
function isWorthATry({ code, retryable }: ChatError): boolean {
  return retryable || code === 'INTERNAL';
}
