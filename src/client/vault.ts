import { ChatError } from './chat-error.js';
import type { ClientStorage } from './client.storage.js';

/**
 * One client's part of a storage: JSON by name, one access after the other. Never rejects; failures
 * are reported.
 */
export class Vault {
  private last: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly storage: ClientStorage,
    private readonly prefix: string,
    private readonly report: (error: ChatError) => void,
  ) {}

  /** @returns null where there is nothing, or nothing that can be read */
  read<T>(name: string): Promise<T | null> {
    return this.next(async () => {
      const text = await this.storage.getItem(this.keyOf(name));
      return text === null ? null : (JSON.parse(text) as T);
    });
  }

  /** @param value made when its turn has come, so that it is what holds then */
  write(name: string, value: () => unknown): Promise<unknown> {
    return this.next(async () => void (await this.storage.setItem(this.keyOf(name), JSON.stringify(value()))));
  }

  remove(name: string): Promise<unknown> {
    return this.next(async () => void (await this.storage.removeItem(this.keyOf(name))));
  }

  /** Resolves when everything asked for so far is done. */
  idle(): Promise<unknown> {
    return this.last;
  }

  private keyOf(name: string): string {
    return `${this.prefix}:${name}`;
  }

  private next<T>(access: () => Promise<T>): Promise<T | null> {
    const done = this.last.then(access).catch((cause: unknown) => {
      this.report(ChatError.own('STORAGE_FAILED', { cause }));
      return null;
    });
    this.last = done;
    return done;
  }
}
