/**
 * An app's handler of an event. The client waits for a returned promise before it delivers the next
 * message event.
 */
export type Handler<Payload> = (payload: Payload) => unknown;

/**
 * Handlers by event. All of an event's handlers are called, in the order they were added, also when
 * one fails.
 */
export class Emitter<Events extends object> {
  private readonly handlers = new Map<keyof Events, Set<Handler<never>>>();

  /** @returns takes the handler away again */
  on<Name extends keyof Events>(event: Name, handler: Handler<Events[Name]>): () => void {
    const handlers = this.handlers.get(event) ?? new Set();
    this.handlers.set(event, handlers.add(handler));
    return () => void handlers.delete(handler);
  }

  off<Name extends keyof Events>(event: Name, handler: Handler<Events[Name]>): void {
    this.handlers.get(event)?.delete(handler);
  }

  /**
   * @returns settles with all handlers, rejected by the first that failed; undefined: all returned
   * at once
   */
  emit<Name extends keyof Events>(event: Name, payload: Events[Name]): Promise<unknown> | undefined {
    const running: Promise<unknown>[] = [];
    for (const handler of [...(this.handlers.get(event) ?? [])] as Handler<Events[Name]>[]) {
      try {
        const result = handler(payload);
        if (isThenable(result)) running.push(Promise.resolve(result));
      } catch (error) {
        running.push(Promise.reject(error instanceof Error ? error : new Error(String(error))));
      }
    }
    return running.length === 0 ? undefined : settled(running);
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as PromiseLike<unknown> | undefined)?.then === 'function';
}

async function settled(running: Promise<unknown>[]): Promise<void> {
  const failure = (await Promise.allSettled(running)).find(({ status }) => status === 'rejected');
  if (failure) throw (failure as PromiseRejectedResult).reason;
}
