import { Injectable } from '@nestjs/common';
import { ChatError } from '../common/index.js';
import type { DeliveryReceipts } from '../conversations/index.js';
import { Metrics } from '../metrics/index.js';
import type { ReceiptMark, ReceiptRow } from './receipt.js';
import { ReceiptPublisher } from './receipt.publisher.js';
import { ReceiptRepository } from './receipt.repository.js';

interface Waiting {
  mark: ReceiptMark;
  resolve: (row: ReceiptRow) => void;
  reject: (error: unknown) => void;
}

const maxBatchMarks = 512;
// At this length even a fast database needs seconds: better to say so than to let everybody time
// out.
const maxWaiting = 20_000;

/**
 * The group commit of receipts: marks are collected while the batch before commits, then written as
 * one statement.
 *
 * At rest a mark costs one commit; under load many marks do. One batch is in flight at a time, so
 * one process never competes with itself for a participant's lock.
 */
@Injectable()
export class ReceiptWriter implements DeliveryReceipts {
  private waiting: Waiting[] = [];
  private isBusy = false;

  constructor(
    private readonly repository: ReceiptRepository,
    private readonly publisher: ReceiptPublisher,
    private readonly metrics: Metrics,
  ) {}

  /**
   * Advances a participant's cursors and tells those who may hear of it.
   *
   * Resolves after commit. Cursors only grow, and `readSeq <= deliveredSeq <= lastSeq`: a mark
   * below the present cursor changes nothing, one above the last seq is refused by its outcome.
   * Membership is checked in the statement.
   *
   * @throws ChatError UNAVAILABLE: the outcome is unknown, or too many are waiting (then nothing
   *   was stored)
   * @fires message-delivered, messages-read
   */
  advance(mark: ReceiptMark): Promise<ReceiptRow> {
    if (this.waiting.length >= maxWaiting) {
      return Promise.reject(
        new ChatError('UNAVAILABLE', { message: 'Too many receipts are waiting', retryAfterMs: 1_000 }),
      );
    }
    return new Promise((resolve, reject) => {
      this.waiting.push({ mark, resolve, reject });
      this.wake();
    });
  }

  private wake(): void {
    if (this.isBusy) return;
    this.isBusy = true;
    // After this turn's packets have been read, so that what arrived together is committed
    // together.
    setImmediate(() => void this.drain());
  }

  private async drain(): Promise<void> {
    while (this.waiting.length > 0) await this.commit(this.waiting.splice(0, maxBatchMarks));
    this.isBusy = false;
  }

  private async commit(batch: Waiting[]): Promise<void> {
    try {
      const marks = batch.map((entry) => entry.mark);
      const rows = await this.repository.advance(marks);
      this.metrics.observe('parley_receipt_batch_size', rows.length);
      batch.forEach((entry, i) => entry.resolve(rows[i]!));
      this.publisher.publish(marks, rows);
    } catch (error) {
      for (const entry of batch) entry.reject(error);
    }
  }
}
