import { setTimeout as pause } from 'node:timers/promises';
import type { Message } from '../../src/common/index.js';
import type { DeviceLink, Reply } from './device.link.js';

interface Unsent {
  c: string;
  key: string;
  text: string;
}

const maxInFlight = 4;
/** After this an app asks again, on the same connection. */
const patienceMs = 6_000;
const retryMs = 500;

/**
 * Unsent messages of a device, in order. Each is kept, and sent again with the same
 * clientMessageId, until it is acked.
 */
export class Outbox {
  private readonly unsent: Unsent[] = [];
  private readonly inFlight = new Set<Unsent>();

  constructor(
    private readonly link: DeviceLink,
    private readonly onSent: (message: Message) => void,
  ) {}

  get size(): number {
    return this.unsent.length;
  }

  add(c: string, key: string, text: string): void {
    this.unsent.push({ c, key, text });
    this.flush();
  }

  /** Several at once, without waiting for acks. */
  flush(): void {
    if (!this.link.isOpen) return;
    for (const one of this.unsent) {
      if (this.inFlight.size >= maxInFlight) return;
      if (!this.inFlight.has(one)) void this.transmit(one);
    }
  }

  private async transmit(one: Unsent): Promise<void> {
    this.inFlight.add(one);
    const { c, key, text } = one;
    const request = { conversationId: c, content: { text }, clientMessageId: key };
    const asked = this.link.ask('send-message', request, { c, key, text });
    const reply = await Promise.race([asked, pause(patienceMs, null)]);
    const isOver = await this.settle(reply);
    this.inFlight.delete(one);
    if (isOver) this.unsent.splice(this.unsent.indexOf(one), 1);
    this.flush();
  }

  /** @returns whether there is nothing left to do */
  private async settle(reply: Reply): Promise<boolean> {
    if (!reply) return false;
    if (reply.ok) {
      this.onSent(reply.data['message'] as Message);
      return true;
    }
    if (!reply.error.retryable) return true;
    await pause(reply.error.retryAfterMs ?? retryMs);
    return false;
  }
}
