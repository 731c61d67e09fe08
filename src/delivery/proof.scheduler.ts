import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import type { DeviceSession } from './device-session.js';

// The contract says 500 ms at most; the rest is for a busy event loop.
const askAfterMs = 400;
const tickMs = 25;

/**
 * Asks connections for proof of what was written to them, at most 500 ms after the first unproven
 * message.
 *
 * Whatever is written until then is covered by the same ping. One timer for the node; each
 * connection has its own time, since a thousand pongs at once would hold up those who send.
 */
@Injectable()
export class ProofScheduler implements OnApplicationShutdown {
  /** When each is to be asked, the next one first: all wait equally long. */
  private readonly dueAtMs = new Map<DeviceSession, number>();
  private timer: NodeJS.Timeout | null = null;

  add(session: DeviceSession): void {
    if (this.dueAtMs.has(session)) return;
    this.dueAtMs.set(session, performance.now() + askAfterMs);
    this.timer ??= setTimeout(() => this.ask(), askAfterMs);
  }

  remove(session: DeviceSession): void {
    this.dueAtMs.delete(session);
  }

  onApplicationShutdown(): void {
    if (this.timer) clearTimeout(this.timer);
  }

  private ask(): void {
    const nowMs = performance.now();
    for (const [session, dueAtMs] of this.dueAtMs) {
      if (dueAtMs > nowMs + tickMs / 2) break;
      this.dueAtMs.delete(session);
      session.ask();
    }
    this.timer = this.dueAtMs.size > 0 ? setTimeout(() => this.ask(), tickMs) : null;
  }
}
