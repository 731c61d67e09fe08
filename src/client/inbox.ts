type Task = () => Promise<void> | void;

/**
 * Everything that goes to the app's handlers in order, one after the other: events, catching up
 * after a connect, the positions that stand for all before them.
 */
export class Inbox {
  private tasks: Task[] = [];
  private next = 0;
  private isBusy = false;
  private waiting: (() => void)[] = [];

  constructor(
    private readonly limit: number,
    private readonly report: (error: unknown) => void,
  ) {}

  get isFull(): boolean {
    return this.size >= this.limit;
  }

  add(task: Task): void {
    this.tasks.push(task);
    if (!this.isBusy) void this.work();
  }

  /** Resolves when at most half of the room is taken. */
  async room(): Promise<void> {
    while (this.size > this.limit / 2) await new Promise<void>((resolve) => this.waiting.push(resolve));
  }

  private get size(): number {
    return this.tasks.length - this.next;
  }

  private async work(): Promise<void> {
    this.isBusy = true;
    while (this.size > 0) {
      const running = this.run(this.tasks[this.next++]!);
      if (running) await running;
      // Not one by one: that would move all that follow each time.
      if (this.next > 100) this.tasks = this.tasks.slice(this.next);
      if (this.next > 100) this.next = 0;
      for (const wake of this.waiting.splice(0)) wake();
    }
    this.isBusy = false;
  }

  private run(task: Task): Promise<void> | void {
    try {
      return task()?.catch(this.report);
    } catch (error) {
      this.report(error);
    }
  }
}
