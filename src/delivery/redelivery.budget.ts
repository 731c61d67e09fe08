import { Injectable } from '@nestjs/common';
import { getHeapStatistics } from 'node:v8';
import { Settings } from '../config/index.js';
import { Metrics } from '../metrics/index.js';

const mebibyte = 1_048_576;
/** A page before it is read: contents of changes and messages, one large message each, envelopes. */
const unreadPageBytes = mebibyte;
/** What an event takes beside its content: envelope, parsed row, place in the queue of the socket. */
const itemBytes = 1_024;
/** Who takes longer for a page while others wait is a slow reader. */
const patienceMs = 10_000;
const watchMs = 1_000;

/** Whose page it is. */
interface PageOwner {
  /** Asks for proof that the pages written so far have arrived. */
  askForPages(): void;
  /** Cuts the connection, which takes nothing. */
  giveUp(): void;
}

/** A page of a backlog in memory. */
export class HeldPage {
  isHeld = true;
  readonly sinceMs = performance.now();

  constructor(
    public bytes: number,
    private readonly budget: RedeliveryBudget,
    readonly owner: PageOwner,
  ) {}

  /** Whether other pages wait for the room that this one takes. */
  get isInTheWay(): boolean {
    return this.budget.isContended;
  }

  /** The page was read: from now on it counts as what it is. */
  measured(items: number, contentBytes: number): void {
    this.budget.resize(this, Math.min(this.bytes, contentBytes + items * itemBytes));
  }

  /** The device has it, or the connection ended. */
  release(): void {
    this.budget.release(this);
  }
}

/**
 * Bounds what a node holds for all redeliveries together (guarantee 12): a page is read only when
 * there is room for it, and makes room when the device has proven that it arrived.
 *
 * Pages wait in order. A connection that takes more than 10 s for a page while others wait is cut;
 * a stock client comes back, and is given what it lacks then.
 */
@Injectable()
export class RedeliveryBudget {
  readonly maxBytes: number;
  heldBytes = 0;
  private readonly held = new Set<HeldPage>();
  private readonly line: { page: HeldPage; start: () => void }[] = [];
  private timer: NodeJS.Timeout | null = null;

  constructor(settings: Settings, metrics: Metrics) {
    this.maxBytes =
      settings.redeliveryBudgetBytes || Math.max(4 * mebibyte, Math.floor(getHeapStatistics().heap_size_limit / 16));
    metrics.sample('parley_redelivery_held_bytes', () => [{ value: this.heldBytes }]);
    metrics.sample('parley_redelivery_waiting', () => [{ value: this.line.length }]);
  }

  /** Whether pages wait for room. */
  get isContended(): boolean {
    return this.line.length > 0;
  }

  /** Resolves when there is room for a page that has not been read yet. */
  async room(owner: PageOwner): Promise<HeldPage> {
    const page = new HeldPage(Math.min(unreadPageBytes, this.maxBytes), this, owner);
    await new Promise<void>((start) => {
      this.line.push({ page, start });
      this.advance();
    });
    return page;
  }

  resize(page: HeldPage, bytes: number): void {
    if (!page.isHeld) return;
    this.heldBytes += bytes - page.bytes;
    page.bytes = bytes;
    this.advance();
  }

  release(page: HeldPage): void {
    if (!page.isHeld) return;
    page.isHeld = false;
    this.held.delete(page);
    this.heldBytes -= page.bytes;
    this.advance();
  }

  private advance(): void {
    for (let next = this.line[0]; next && this.heldBytes + next.page.bytes <= this.maxBytes; next = this.line[0]) {
      this.line.shift();
      this.heldBytes += next.page.bytes;
      this.held.add(next.page);
      next.start();
    }
    if (this.isContended) this.begin();
    else if (this.timer) {
      clearInterval(this.timer);
      this.timer = null;
    }
  }

  /** From here on others wait: what is on its way is to be proven now, not at the next ping. */
  private begin(): void {
    if (this.timer) return;
    this.timer = setInterval(() => this.hurry(), watchMs).unref();
    this.hurry();
  }

  private hurry(): void {
    const oldestMs = performance.now() - patienceMs;
    for (const { sinceMs, owner } of [...this.held]) {
      if (sinceMs < oldestMs) owner.giveUp();
      else owner.askForPages();
    }
  }
}
