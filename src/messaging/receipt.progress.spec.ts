import { describe, expect, it } from 'vitest';
import type { ReceiptEvent } from './receipt.js';
import { ReceiptProgress } from './receipt.progress.js';

describe('ReceiptProgress', () => {
  const event = (seq: number, more: Partial<ReceiptEvent> = {}): ReceiptEvent => ({
    event: 'message-delivered',
    conversationId: 'c',
    userId: 'u',
    seq,
    at: '2026-01-01T00:00:00.000Z',
    peerId: null,
    exceptConnectionId: null,
    ...more,
  });

  it('lets through what is higher than before, per cursor', () => {
    const progress = new ReceiptProgress();
    expect([3, 2, 3, 4].map((seq) => progress.advance(event(seq)))).toEqual([true, false, false, true]);
    for (const other of [{ event: 'messages-read' as const }, { userId: 'v' }, { conversationId: 'd' }]) {
      expect(progress.advance(event(1, other))).toBe(true);
    }
  });
});
