/**
 * Runs tasks of one key one after another, in the order of the calls; tasks of different keys do
 * not wait.
 */
export class KeyedQueue {
  private readonly tails = new Map<string, Promise<void>>();

  /** Whether nothing of a key runs or waits. */
  isIdle(key: string): boolean {
    return !this.tails.has(key);
  }

  /** @returns settles as the task does; a task that fails does not keep the next from running */
  run(key: string, task: () => Promise<void>): Promise<void> {
    const before = this.tails.get(key) ?? Promise.resolve();
    const result = before.then(task);
    const tail = result
      .catch(() => undefined)
      .finally(() => {
        if (this.tails.get(key) === tail) this.tails.delete(key);
      });
    this.tails.set(key, tail);
    return result;
  }
}
