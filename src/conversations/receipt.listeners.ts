import { Injectable } from '@nestjs/common';
import type { Actor } from '../auth/index.js';

/**
 * Told how far the acting device has come, which may be less than the user's cursor.
 *
 * @param rev also all changes up to it have arrived; null: the device does not say
 */
export type DeliveredListener = (
  actor: Actor,
  conversationId: string,
  deliveredSeq: number,
  rev: number | null,
) => Promise<void> | void;

/**
 * Where other features hear what a device says it has got (`mark-delivered`, `mark-read`).
 *
 * Called on the node of the device, after the user's cursors were committed and before the ack,
 * also when no cursor moved; not for refused marks, nor for cursors the server advances by itself.
 * A throw fails the mark with its code; the client repeats it, which is harmless. Several listeners
 * are called at the same time.
 */
@Injectable()
export class ReceiptListeners {
  private readonly listeners: DeliveredListener[] = [];

  /** Registers a listener; before the application listens. */
  onDelivered(listener: DeliveredListener): void {
    this.listeners.push(listener);
  }

  async tellDelivered(...args: Parameters<DeliveredListener>): Promise<void> {
    await Promise.all(this.listeners.map(async (listener) => listener(...args)));
  }
}
