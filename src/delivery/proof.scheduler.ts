import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import type { DeviceSession } from './device-session.js';

// The contract says 500 ms at most; the rest is for a busy event loop.
const askAfterMs = 400;

/**
 * Asks connections for proof of what was written to them, at most 500 ms after the first unproven message.
 *
 * One timer for the node, not one per message: whatever is written until it fires is covered by the same ping.
 */
@Injectable()
export class ProofScheduler implements OnApplicationShutdown {
  private readonly due = new Set<DeviceSession>();
  private timer: NodeJS.Timeout | null = null;

  add(session: DeviceSession): void {
    this.due.add(session);
    this.timer ??= setTimeout(() => this.ask(), askAfterMs);
  }

  remove(session: DeviceSession): void {
    this.due.delete(session);
  }

  onApplicationShutdown(): void {
    if (this.timer) clearTimeout(this.timer);
  }

  private ask(): void {
    this.timer = null;
    const sessions = [...this.due];
    this.due.clear();
    for (const session of sessions) session.ask();
  }
}
