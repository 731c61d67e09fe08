import { Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import type { ReceiptEvent } from './receipt.js';

const maxCursors = 100_000;
// Longer than a node is held up that then tells what it had to tell.
const memoryMs = 600_000;

/**
 * How far this node has told each cursor, for as long as events of it may overtake each other on
 * their way from different nodes: a lower one that comes later is told to nobody, so that those who
 * hear see cursors grow only.
 */
@Injectable()
export class ReceiptProgress {
  private readonly told = new LRUCache<string, number>({ max: maxCursors, ttl: memoryMs, ttlResolution: 1_000 });

  /** Whether the event says more than what was told; notes that it is told now. */
  advance({ event, conversationId, userId, seq }: ReceiptEvent): boolean {
    const key = `${event} ${conversationId} ${userId}`;
    if (seq <= (this.told.get(key) ?? -1)) return false;
    this.told.set(key, seq);
    return true;
  }
}
