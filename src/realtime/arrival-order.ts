import type { Turn } from '../auth/index.js';

const settled = Promise.resolve();

/**
 * Keeps the order in which one socket's events arrived, though their handlers run concurrently.
 *
 * Each event takes a turn on arrival. Whoever needs the order (sending a message: guarantee 3) awaits `turn.ready`, does
 * its ordered step, and releases; an event that does not care is released when its handler ends.
 */
export class ArrivalOrder {
  private tail: Promise<void> | null = null;

  take(): Turn {
    const before = this.tail ?? settled;
    let done!: () => void;
    const own = new Promise<void>((resolve) => (done = resolve));
    const chained = before.then(() => own);
    this.tail = chained;
    return {
      ready: before,
      release: () => {
        done();
        if (this.tail === chained) this.tail = null;
      },
    };
  }
}
