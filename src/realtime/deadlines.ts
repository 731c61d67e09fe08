const tickMs = 50;

/**
 * One deadline for many: each is due `timeoutMs` after it was added, at most 50 ms later.
 *
 * All have the same time, so the oldest is the first to be due and one timer looks after them; a
 * timer each was a fortieth of what an event costs.
 */
export class Deadlines<T extends object> {
  private readonly dueAt = new Map<T, number>();
  private timer: NodeJS.Timeout | null = null;

  /** @param onDue called once for what was not taken out in time */
  constructor(
    private readonly timeoutMs: number,
    private readonly onDue: (item: T) => void,
  ) {}

  add(item: T): void {
    this.dueAt.set(item, performance.now() + this.timeoutMs);
    this.timer ??= setInterval(() => this.tick(), tickMs);
  }

  delete(item: T): void {
    this.dueAt.delete(item);
  }

  private tick(): void {
    const nowMs = performance.now();
    for (const [item, dueAtMs] of this.dueAt) {
      if (dueAtMs > nowMs) break;
      this.dueAt.delete(item);
      this.onDue(item);
    }
    if (this.dueAt.size > 0 || !this.timer) return;
    clearInterval(this.timer);
    this.timer = null;
  }
}
