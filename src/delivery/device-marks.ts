import { Injectable, type OnModuleInit } from '@nestjs/common';
import { ReceiptListeners } from '../conversations/index.js';
import { DeviceCursorWriter } from './device-cursor.writer.js';

/**
 * Moves a device's cursor when the device says what it has: `mark-delivered`, and `mark-read`,
 * which implies it.
 */
@Injectable()
export class DeviceMarks implements OnModuleInit {
  constructor(
    private readonly listeners: ReceiptListeners,
    private readonly cursors: DeviceCursorWriter,
  ) {}

  onModuleInit(): void {
    this.listeners.onDelivered(async ({ userId, deviceId }, conversationId, seq, rev) => {
      // Over REST no device speaks.
      if (deviceId === null) return;
      await this.cursors.advance({ userId, deviceId, conversationId, seq, rev: rev ?? 0, fromRev: null });
    });
  }
}
