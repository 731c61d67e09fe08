import type { Turn } from '../auth/index.js';

/**
 * Keeps the order in which one socket's events arrived, though their handlers run concurrently.
 *
 * Each event takes a turn on arrival. Whoever needs the order (sending a message: guarantee 3)
 * awaits `turn.ready`, does its ordered step, and releases; an event that does not care is released
 * when its handler ends.
 */
export class ArrivalOrder {
  private readonly line: EventTurn[] = [];

  take(): Turn {
    const turn = new EventTurn(this.line);
    this.line.push(turn);
    return turn;
  }
}

class EventTurn implements Turn {
  isGivenUp = false;
  private isReleased = false;
  private begin: (() => void) | null = null;
  private waiting: Promise<void> | null = null;

  constructor(private readonly line: EventTurn[]) {}

  get ready(): Promise<void> | null {
    if (this.isReleased || this.line[0] === this) return null;
    this.waiting ??= new Promise((resolve) => (this.begin = resolve));
    return this.waiting;
  }

  giveUp(): void {
    this.isGivenUp = true;
  }

  release(): void {
    if (this.isReleased) return;
    this.isReleased = true;
    const { line } = this;
    if (line[0] !== this) return;
    while (line[0]?.isReleased) line.shift()!.begin?.();
    line[0]?.begin?.();
  }
}
