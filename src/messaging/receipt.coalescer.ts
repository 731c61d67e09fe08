import { Injectable, type OnApplicationShutdown } from '@nestjs/common';

interface Window {
  timer: NodeJS.Timeout;
  /** What to send when the window ends; null: nothing came. */
  next: (() => void) | null;
}

const windowMs = 1_000;

/**
 * Lets at most one send per key and second through: the first at once, then the latest of each
 * second.
 *
 * Memory is bounded by the keys of one second.
 */
@Injectable()
export class ReceiptCoalescer implements OnApplicationShutdown {
  private readonly windows = new Map<string, Window>();

  /** @param send what to do now, or at the end of the second unless a later call takes its place */
  offer(key: string, send: () => void): void {
    const open = this.windows.get(key);
    if (open) {
      open.next = send;
      return;
    }
    this.openWindow(key);
    send();
  }

  onApplicationShutdown(): void {
    for (const { timer } of this.windows.values()) clearTimeout(timer);
    this.windows.clear();
  }

  private openWindow(key: string): void {
    this.windows.set(key, { timer: setTimeout(() => this.closeWindow(key), windowMs), next: null });
  }

  private closeWindow(key: string): void {
    const next = this.windows.get(key)?.next;
    this.windows.delete(key);
    if (!next) return;
    this.openWindow(key);
    next();
  }
}
