interface Waiting<Q, A> {
  question: Q;
  resolve: (answer: A) => void;
  reject: (error: unknown) => void;
}

/**
 * Many questions of one kind in one statement: what is asked while a query is on its way shares the
 * next one.
 *
 * At rest a question costs one query at once; in a storm of connections a query answers `maxGroup`
 * of them. At most `maxRunning` queries run at a time, so that a storm leaves connections to
 * Postgres for those who send; and a query that is not full starts `paceMs` after the last one at
 * the earliest, where nobody is kept waiting by that.
 */
export class GroupedCalls<Q, A> {
  private waiting: Waiting<Q, A>[] = [];
  private running = 0;
  private lastStartMs = -Infinity;
  private timer: NodeJS.Timeout | null = null;

  /** @param answerAll answers in the order of the questions */
  constructor(
    private readonly answerAll: (questions: Q[]) => Promise<A[]>,
    private readonly maxGroup: number,
    private readonly maxRunning = 1,
    private readonly paceMs = 0,
  ) {}

  ask(question: Q): Promise<A> {
    return new Promise((resolve, reject) => {
      this.waiting.push({ question, resolve, reject });
      // After this turn's packets have been read, so that what came together is asked together.
      if (this.waiting.length === 1 || this.waiting.length === this.maxGroup) setImmediate(() => this.start());
    });
  }

  private start(): void {
    while (this.waiting.length > 0 && this.running < this.maxRunning) {
      const earlyMs = this.lastStartMs + this.paceMs - performance.now();
      if (earlyMs > 0 && this.waiting.length < this.maxGroup) return this.startIn(earlyMs);
      this.lastStartMs = performance.now();
      void this.answer(this.waiting.splice(0, this.maxGroup));
    }
  }

  private startIn(ms: number): void {
    this.timer ??= setTimeout(() => {
      this.timer = null;
      this.start();
    }, ms);
  }

  private async answer(group: Waiting<Q, A>[]): Promise<void> {
    this.running += 1;
    try {
      const answers = await this.answerAll(group.map(({ question }) => question));
      group.forEach(({ resolve }, i) => resolve(answers[i]!));
    } catch (error) {
      for (const { reject } of group) reject(error);
    } finally {
      this.running -= 1;
      this.start();
    }
  }
}
