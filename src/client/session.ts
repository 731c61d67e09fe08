import type { SendMessageAnswer, SessionReady } from '../common/wire-events.js';
import { pause } from './backoff.js';
import { ChatError, isSignInError } from './chat-error.js';
import type { OutboxEntry, OutgoingMessage, ParleyEvents } from './client.events.js';
import type { ClientSettings } from './client.options.js';
import type { Connection } from './connection.js';
import { Dialer, type ConnectionState, type StateChange } from './dialer.js';
import type { Emitter } from './emitter.js';
import { Heartbeat } from './heartbeat.js';
import { Outbox } from './outbox.js';
import { OutboxStore } from './outbox.store.js';
import { Reception } from './reception.js';
import { SessionWaiters } from './session.waiters.js';
import { StandingWishes } from './standing.wishes.js';
import { TokenRenewal } from './token.renewal.js';
import { TokenSource } from './token.source.js';
import { Vault } from './vault.js';

const userName = 'user';
const farewellMs = 1_000;

/**
 * Puts the parts of a client together: what a new connection sets going, and what its end stops.
 */
export class Session {
  private readonly vault: Vault;
  private readonly dialer: Dialer;
  private readonly outbox: Outbox;
  private readonly reception: Reception;
  private readonly heartbeat: Heartbeat;
  private readonly renewal: TokenRenewal;
  private readonly wishes = new StandingWishes();
  private readonly waiters = new SessionWaiters();
  private userId: string | null = null;
  private loading: Promise<void> | null = null;
  private closing: Promise<void> | null = null;
  private isWanted = false;

  constructor(
    private readonly settings: ClientSettings,
    private readonly events: Emitter<ParleyEvents>,
  ) {
    const { storage, storagePrefix, outboxLimit, refreshBeforeMs, connectTimeoutMs } = settings;
    this.vault = new Vault(storage, storagePrefix, (error) => this.tell('error', error));
    this.outbox = new Outbox(new OutboxStore(this.vault), events, outboxLimit);
    this.reception = new Reception(settings, events, this.vault, (message) => {
      return message.senderId === this.userId && this.outbox.settle(message);
    });
    const tokens = new TokenSource(settings.token, refreshBeforeMs, connectTimeoutMs);
    this.heartbeat = new Heartbeat(settings.heartbeatIntervalMs, (connection, pulse) =>
      this.reception.pulse(connection, pulse),
    );
    this.renewal = new TokenRenewal(tokens, refreshBeforeMs, () => Date.now() + this.clockOffsetMs);
    this.dialer = new Dialer(settings, tokens, {
      ready: (connection, session) => this.begin(connection, session),
      event: (connection, event, payload) => this.hear(connection, event, payload),
      ended: () => this.end(),
      state: (change) => this.changed(change),
      room: () => this.reception.room(),
    });
  }

  get state(): ConnectionState {
    return this.dialer.state;
  }

  get current(): SessionReady | null {
    return this.state === 'online' ? (this.dialer.connection?.session ?? null) : null;
  }

  get clockOffsetMs(): number {
    return this.heartbeat.offsetMs;
  }

  connect(): Promise<SessionReady> {
    const connected = this.waiters.wait(this.dialer, null).then((connection) => connection.session!);
    // An app that listens to `state` need not catch the rejection.
    connected.catch(() => undefined);
    this.isWanted = true;
    void this.load().then(() => this.isWanted && this.dialer.start());
    return connected;
  }

  disconnect(): void {
    this.isWanted = false;
    this.dialer.stop();
  }

  async request(event: string, payload: unknown): Promise<unknown> {
    if (!this.isWanted) throw ChatError.own(this.closing ? 'CLOSED' : 'NOT_CONNECTED', { event });
    const connection = await this.waiters.wait(this.dialer, this.settings.requestTimeoutMs);
    const answer = await connection.request(event, payload);
    this.wishes.note(event, payload);
    this.reception.noteAnswer(answer);
    return answer;
  }

  send(message: OutgoingMessage): Promise<SendMessageAnswer> {
    if (this.closing) return Promise.reject(ChatError.own('CLOSED', { event: 'send-message' }));
    void this.load();
    return this.outbox.add(message);
  }

  async pendingMessages(): Promise<OutboxEntry[]> {
    await this.load();
    return this.outbox.entries();
  }

  cancelMessage(conversationId: string, clientMessageId: string): boolean {
    return this.outbox.cancel(conversationId, clientMessageId);
  }

  close(): Promise<void> {
    this.closing ??= this.shutDown();
    return this.closing;
  }

  async forget(): Promise<void> {
    await this.close();
    await this.load();
    await this.outbox.clear();
    this.reception.forget();
    await this.vault.remove(userName);
  }

  /** Reads what earlier runs of the app left; once. */
  private load(): Promise<void> {
    this.loading ??= (async () => {
      this.userId = await this.vault.read<string>(userName);
      await this.reception.load();
      await this.outbox.load();
    })();
    return this.loading;
  }

  private begin(connection: Connection, session: SessionReady): void {
    if (this.userId !== null && this.userId !== session.userId) return this.dialer.stop(ChatError.own('WRONG_USER'));
    if (this.userId === null) void this.vault.write(userName, () => session.userId);
    this.userId = session.userId;
    this.heartbeat.begin(connection);
    this.renewal.begin(connection);
    this.reception.begin(connection);
    this.tell('session-ready', session);
    void this.wishes.restore(connection);
    this.outbox.begin(async ({ message }) => {
      const answer = (await connection.request('send-message', message)) as SendMessageAnswer;
      this.reception.noteAnswer(answer);
      return answer;
    });
  }

  private hear(connection: Connection, event: string, payload: unknown): void {
    if (event === 'error') {
      const error = ChatError.from(payload);
      // A disconnect follows, after which another token helps or `state` tells.
      if (!isSignInError(error)) this.tell('error', error);
      return;
    }
    const { userId, conversationId } = (payload ?? {}) as { userId?: string; conversationId?: string };
    if (event === 'participant-removed' && userId === this.userId) this.wishes.forget(conversationId!);
    this.reception.hear(connection, event, payload);
  }

  private end(): void {
    this.heartbeat.end();
    this.renewal.end();
    this.outbox.end();
    this.reception.end();
  }

  private changed(change: StateChange): void {
    if (change.state === 'stopped') this.isWanted = false;
    this.waiters.changed(this.dialer, change);
    this.tell('state', change);
  }

  private async shutDown(): Promise<void> {
    this.isWanted = false;
    await Promise.race([this.reception.finish(), pause(farewellMs)]);
    this.dialer.stop(null, 'closed');
    this.outbox.close();
    // Answers that came in this very turn are noted, and stored, too.
    await pause(0);
    this.reception.close();
    await this.vault.idle();
  }

  private tell<Name extends keyof ParleyEvents>(event: Name, payload: ParleyEvents[Name]): void {
    this.events.emit(event, payload)?.catch((cause: unknown) => {
      if (event !== 'error') this.tell('error', ChatError.own('HANDLER_FAILED', { event, cause }));
    });
  }
}
