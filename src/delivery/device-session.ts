import { isMeantFor, TransportEcho, type Connection, type LiveBatch, type LiveChange } from '../realtime/index.js';
import type { HeldPage } from './redelivery.budget.js';
import { Lane, writeOf, type UnprovenWrite } from './lane.js';

/** What a session asks of the service around it. */
export interface SessionEvents {
  /** Something was written that no ping covers yet. */
  onUnasked(session: DeviceSession): void;
  /** Part of a lane has arrived at the device. */
  onProven(session: DeviceSession, lane: Lane, write: UnprovenWrite): void;
  /** A closed lane needs its backlog. */
  onGap(session: DeviceSession, lane: Lane): void;
}

interface WrittenPage {
  items: number;
  /** Of the contents. */
  bytes: number;
  /** Its part of what all redeliveries may take. */
  held: HeldPage;
}

interface PageOnItsWay extends WrittenPage {
  generation: number;
}

const nothing: readonly never[] = [];
// Unproven parts of backlogs on one connection; far below what a slow reader is cut off for.
const maxItemsOnTheirWay = 400;
const maxBytesOnTheirWay = 524_288;
// Quiet lanes beyond this are forgotten; the device's cursor knows as much.
const maxQuietLanes = 64;

/** One connection and what it has been sent, by conversation. */
export class DeviceSession {
  readonly lanes = new Map<string, Lane>();
  /** Until it is known what the device lacks, nothing live is let through. */
  isListing = true;
  isClosed = false;
  private readonly echo: TransportEcho;
  private unprovenLanes: Set<Lane> | null = null;
  private pages: PageOnItsWay[] = [];
  private wake: (() => void)[] = [];
  private lastGeneration = -1;

  constructor(
    readonly connection: Connection,
    private readonly events: SessionEvents,
  ) {
    this.echo = TransportEcho.of(connection.socket);
    this.echo.onPong(() => this.hearPong());
  }

  get userId(): string {
    return this.connection.userId;
  }

  get deviceId(): string {
    return this.connection.deviceId;
  }

  /** @returns what may be written now. @see LiveGate.admit */
  admit<T extends LiveChange>(joinedSeq: number, batch: LiveBatch<T>): readonly T[] {
    const lane = this.laneOf(batch);
    if (!lane.isOpen) {
      lane.withhold(batch, joinedSeq);
      return nothing;
    }
    const verdict = lane.judge(batch);
    if (verdict === 'known') return nothing;
    if (verdict === 'hole') {
      lane.close();
      lane.withhold(batch, joinedSeq);
      this.events.onGap(this, lane);
      return nothing;
    }
    return this.take(lane, batch);
  }

  /** The lane of a conversation whose backlog goes first; closed. */
  closedLane(conversationId: string): Lane {
    const lane = this.lanes.get(conversationId) ?? new Lane(conversationId);
    this.lanes.set(conversationId, lane);
    return lane;
  }

  /**
   * Opens a lane whose backlog has been written up to `rev`, and writes what was held back.
   *
   * @param writtenSeq messages up to this have been written, also when they were sent after `rev`
   * @returns whether it is open; else there is more to read
   */
  open(lane: Lane, rev: number, writtenSeq: number): boolean {
    const following = lane.openAt(rev);
    if (!following) return false;
    for (const { batch, joinedSeq } of following) {
      if (lane.judge(batch) !== 'next') continue;
      const changes = this.take(lane, batch).filter(({ event, seq }) => event !== 'new-message' || seq > writtenSeq);
      this.writeWithheld(joinedSeq, changes);
    }
    return true;
  }

  /** Records a write of a backlog; with `auto`, its proof moves the cursor. */
  note(lane: Lane, write: Omit<UnprovenWrite, 'generation'>): void {
    this.record(lane, { ...write, generation: this.echo.generation });
  }

  /**
   * Waits until so little of backlogs is unproven that another page may be written; at once when
   * the session ends.
   */
  async room(): Promise<void> {
    while (!this.isClosed && this.isFull()) {
      this.echo.ask(this.pages[0]!.generation);
      await new Promise<void>((resolve) => this.wake.push(resolve));
    }
  }

  /** A page was written. */
  notePage(page: WrittenPage): void {
    if (page.items === 0) return;
    this.pages.push({ ...page, generation: this.echo.generation });
    if (page.held.isInTheWay) this.askForPages();
  }

  /** It has not taken a page for long, and others wait: it is to come again. */
  giveUp(): void {
    this.connection.cut();
  }

  /** Whether a page is on its way: its proof, or the end of the session, releases it. */
  holds(held: HeldPage): boolean {
    return this.pages.some((page) => page.held === held);
  }

  /** Asks for proof of the pages written so far; their proof makes room. */
  askForPages(): void {
    const last = this.pages.at(-1);
    if (last) this.echo.ask(last.generation);
  }

  /** Asks the client's transport for proof of everything written so far. */
  ask(): void {
    this.echo.ask(this.lastGeneration);
  }

  /** What is not proven by now stays the device's backlog. */
  end(): void {
    this.isClosed = true;
    for (const { held } of this.pages.splice(0)) held.release();
    this.wakeAll();
  }

  private laneOf({ conversationId, above }: LiveBatch): Lane {
    const known = this.lanes.get(conversationId);
    if (known) return known;
    const lane = new Lane(conversationId);
    if (!this.isListing) lane.startAt(above);
    this.lanes.set(conversationId, lane);
    return lane;
  }

  private take<T extends LiveChange>(lane: Lane, batch: LiveBatch<T>): readonly T[] {
    const { sentRev } = lane;
    const admitted = batch.above === sentRev ? batch.changes : batch.changes.filter(({ rev }) => rev > sentRev);
    lane.sentRev = batch.upTo;
    this.record(lane, writeOf(batch, admitted, this.connection.id, this.echo.generation));
    return admitted;
  }

  private record(lane: Lane, write: UnprovenWrite): void {
    if (this.connection.ackMode === 'manual') return;
    lane.note(write);
    this.unprovenLanes ??= new Set();
    this.unprovenLanes.add(lane);
    this.lastGeneration = write.generation;
    this.events.onUnasked(this);
  }

  private writeWithheld(joinedSeq: number, changes: readonly LiveChange[]): void {
    for (const change of changes) {
      if (isMeantFor(this.connection, joinedSeq, change)) this.connection.emit(change.event, change.payload);
    }
  }

  private isFull(): boolean {
    const items = this.pages.reduce((sum, page) => sum + page.items, 0);
    const bytes = this.pages.reduce((sum, page) => sum + page.bytes, 0);
    return items >= maxItemsOnTheirWay || bytes >= maxBytesOnTheirWay;
  }

  private hearPong(): void {
    const arrived = this.pages.filter(({ generation }) => this.echo.isProven(generation));
    this.pages = this.pages.filter(({ generation }) => !this.echo.isProven(generation));
    for (const { held } of arrived) held.release();
    // After an upgrade in between, the ping on its way proves nothing and another is due.
    if (this.pages[0]?.held.isInTheWay) this.askForPages();
    for (const lane of this.unprovenLanes ?? nothing) this.settle(lane);
    // After an upgrade in between, the ping on its way proves nothing and another is due.
    if (this.unprovenLanes?.size && !this.echo.isAsked(this.lastGeneration)) this.events.onUnasked(this);
    this.wakeAll();
  }

  private settle(lane: Lane): void {
    const proven = lane.takeProven((generation) => this.echo.isProven(generation));
    if (lane.unproven.length === 0) this.unprovenLanes?.delete(lane);
    if (!proven) return;
    this.events.onProven(this, lane, proven);
  }

  /** Forgets a lane that has nothing on its way, when there are many. */
  retire(lane: Lane): void {
    const isQuiet = lane.isOpen && lane.unproven.length === 0;
    if (isQuiet && this.lanes.size > maxQuietLanes) this.lanes.delete(lane.conversationId);
  }

  private wakeAll(): void {
    for (const resolve of this.wake.splice(0)) resolve();
  }
}
