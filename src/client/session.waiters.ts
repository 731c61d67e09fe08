import { ChatError } from './chat-error.js';
import type { Connection } from './connection.js';
import type { Dialer, StateChange } from './dialer.js';

interface Waiter {
  resolve: (connection: Connection) => void;
  reject: (error: ChatError) => void;
}

/** The calls that wait for a session. */
export class SessionWaiters {
  private readonly waiters = new Set<Waiter>();

  /**
   * @param patienceMs null: as long as it takes
   * @throws ChatError NOT_CONNECTED (out of patience; the client hung up) | CLOSED | the final
   *   refusal
   */
  wait({ state, connection }: Dialer, patienceMs: number | null): Promise<Connection> {
    if (state === 'online' && connection) return Promise.resolve(connection);
    if (state === 'closed') return Promise.reject(ChatError.own('CLOSED'));
    return new Promise((resolve, reject) => {
      const waiter: Waiter = { resolve, reject };
      this.waiters.add(waiter);
      if (patienceMs === null) return;
      const timer = setTimeout(() => {
        if (this.waiters.delete(waiter)) reject(ChatError.own('NOT_CONNECTED'));
      }, patienceMs);
      waiter.resolve = (session) => {
        clearTimeout(timer);
        resolve(session);
      };
      waiter.reject = (error) => {
        clearTimeout(timer);
        reject(error);
      };
    });
  }

  changed({ connection }: Dialer, { state, error }: StateChange): void {
    if (state === 'online') this.settle((waiter) => waiter.resolve(connection!));
    if (state === 'closed') this.settle((waiter) => waiter.reject(ChatError.own('CLOSED')));
    if (state === 'stopped') this.settle((waiter) => waiter.reject(error ?? ChatError.own('NOT_CONNECTED')));
  }

  private settle(how: (waiter: Waiter) => void): void {
    for (const waiter of this.waiters) how(waiter);
    this.waiters.clear();
  }
}
