import type { HeartbeatAck } from '../common/wire-events.js';
import type { Message } from '../common/wire.js';
import { pause } from './backoff.js';
import { CatchUp } from './catch-up.js';
import type { ChatError } from './chat-error.js';
import type { ParleyEvents } from './client.events.js';
import type { ClientSettings } from './client.options.js';
import type { Connection } from './connection.js';
import { DeliveryMarks } from './delivery.marks.js';
import type { Emitter } from './emitter.js';
import { GapFiller } from './gap.filler.js';
import { HandOver, type OwnMessageTaker } from './hand-over.js';
import { Inbox } from './inbox.js';
import { Ledger } from './ledger.js';
import { LedgerStore } from './ledger.store.js';
import { isOrdered, PushedEvents } from './pushed.events.js';
import { Sequences } from './sequences.js';
import { SyncPosition } from './sync.position.js';
import type { Vault } from './vault.js';

/**
 * The way of all received events. On each connection the missed changes come first ({@link
 * CatchUp}), then the live events in the order of arrival. It also keeps the position that covers
 * everything delivered.
 */
export class Reception {
  private readonly inbox: Inbox;
  private readonly ledger: Ledger;
  private readonly kept: LedgerStore;
  private readonly handOver: HandOver;
  private readonly position: SyncPosition;
  private readonly marks = new DeliveryMarks();
  private readonly pushed: PushedEvents;
  private readonly catchUp: CatchUp;
  private isClosed = false;

  constructor(
    private readonly settings: ClientSettings,
    events: Emitter<ParleyEvents>,
    vault: Vault,
    takesOwn: OwnMessageTaker,
  ) {
    const sequences = new Sequences();
    this.ledger = new Ledger(settings.rememberedMessages, () => this.kept.touch());
    this.kept = new LedgerStore(this.ledger, vault);
    this.handOver = new HandOver(events, this.ledger, sequences, takesOwn);
    this.inbox = new Inbox(settings.inboxLimit, (error) => this.handOver.fail(error as ChatError));
    this.position = new SyncPosition(vault, settings.positionLagMs);
    const gaps = new GapFiller(this.handOver, sequences, settings.pageSize);
    this.catchUp = new CatchUp(this.handOver, this.ledger, sequences, this.position, settings);
    this.pushed = new PushedEvents(
      this.handOver,
      this.ledger,
      this.catchUp,
      sequences,
      gaps,
      this.marks,
      this.position,
    );
  }

  async load(): Promise<void> {
    await this.position.load();
    await this.kept.load();
  }

  begin(connection: Connection): void {
    if (this.settings.ackMode === 'manual') this.marks.begin(connection);
    this.add(connection, () => this.catchUpOn(connection));
  }

  end(): void {
    this.marks.end();
  }

  hear(connection: Connection, event: string, payload: unknown): void {
    if (!isOrdered(event)) return void this.handOver.hand(event as keyof ParleyEvents, payload as never);
    // The server sends again what was not taken; the app's handlers set the pace.
    if (this.inbox.isFull) return connection.end({ reason: 'dropped', error: null });
    this.add(connection, () => this.pushed.take(connection, event, payload));
  }

  /** A heartbeat's position: of everything heard before it. */
  pulse(connection: Connection, { syncToken: token, serverTime: at }: HeartbeatAck): void {
    const heardAtMs = Date.now();
    this.add(connection, () => this.position.propose({ token, isMidPass: false, at }, heardAtMs));
  }

  /** Keeps the client from delivering what the app has already got as an answer. */
  noteAnswer(answer: unknown): void {
    const { message, messageId, scope } = (answer ?? {}) as { message?: Message; messageId?: string; scope?: string };
    if (message?.rev !== undefined) this.handOver.note(message);
    if (messageId !== undefined && scope !== undefined) this.ledger.noteDeletion(messageId);
  }

  /** Resolves when there is room for what a new connection brings. */
  room(): Promise<void> {
    return this.inbox.room();
  }

  /** Hands over nothing more, and tells the server what the handlers have taken. */
  async finish(): Promise<void> {
    await this.handOver.close();
    // By now the consequences of the last handler are noted.
    await pause(0);
    await this.marks.flush();
  }

  /** After {@link finish}, or when that takes too long. */
  close(): void {
    this.isClosed = true;
    this.kept.flush();
  }

  forget(): void {
    this.position.forget();
    this.kept.forget();
  }

  private add(connection: Connection, task: () => Promise<void> | void): void {
    this.inbox.add(() => (this.isClosed || connection.isBroken ? undefined : task()));
  }

  private async catchUpOn(connection: Connection): Promise<void> {
    this.position.begin(connection.session!.syncToken);
    try {
      const changes = await this.catchUp.run(connection);
      if (changes === null) connection.isBroken = true;
      else await this.handOver.hand('synced', { changes });
    } catch (error) {
      // The next connection asks again for what the server cannot answer now. Live events are
      // delivered meanwhile.
      this.position.hold();
      this.handOver.fail(error as ChatError);
    }
  }
}
