/**
 * Where a client keeps what must survive a restart of the app: unsent messages, the sync position,
 * whose they are.
 *
 * `localStorage`, and React Native's `AsyncStorage`, are such storages as they stand. Writes come
 * one after the other. A failure is told as `error` (`STORAGE_FAILED`); the client goes on with
 * what it has in memory. One client at a time may use a `storagePrefix`: two browser tabs need two.
 *
 * @since 0.1.0
 */
export interface ClientStorage {
  getItem(key: string): string | null | Promise<string | null>;
  setItem(key: string, value: string): unknown;
  removeItem(key: string): unknown;
}

/** The default: lasts as long as this object. */
export class MemoryStorage implements ClientStorage {
  private readonly items = new Map<string, string>();

  getItem(key: string): string | null {
    return this.items.get(key) ?? null;
  }

  setItem(key: string, value: string): void {
    this.items.set(key, value);
  }

  removeItem(key: string): void {
    this.items.delete(key);
  }
}
