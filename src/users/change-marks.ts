import { LRUCache } from 'lru-cache';

const maxMarks = 100_000;

/**
 * Which users something has changed for, and when, in steps of a counter: what was read before that
 * counts no longer, nor does what was being read at that moment.
 *
 * Bounded: of users whose mark had to go, everything older than that mark counts no longer.
 */
export class ChangeMarks {
  private count = 0;
  private floor = 0;
  private readonly marks = new LRUCache<string, number>({
    max: maxMarks,
    dispose: (mark, _userId, reason) => {
      if (reason === 'evict') this.floor = Math.max(this.floor, mark);
    },
  });

  /** The present step: take it before reading. */
  get present(): number {
    return this.count;
  }

  touch(userId: string): void {
    this.marks.set(userId, ++this.count);
  }

  touchAll(): void {
    this.floor = ++this.count;
  }

  /** Whether nothing has changed for these users since a step. */
  areUnchangedSince(step: number, ...userIds: string[]): boolean {
    return step >= this.floor && userIds.every((userId) => (this.marks.peek(userId) ?? 0) <= step);
  }
}
