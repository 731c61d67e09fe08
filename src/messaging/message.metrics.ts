import { Injectable } from '@nestjs/common';
import { Metrics } from '../metrics/index.js';
import type { AppendRow } from './message-draft.js';

/** Numbers of the write path. */
@Injectable()
export class MessageMetrics {
  constructor(private readonly metrics: Metrics) {}

  /** One batch was committed. */
  committed(rows: readonly AppendRow[], elapsedMs: number): void {
    const appended = rows.filter((row) => row.outcome === 'appended').length;
    this.metrics.count('parley_messages_appended_total', {}, appended);
    this.metrics.observe('parley_commit_batch_size', rows.length);
    this.metrics.observe('parley_commit_seconds', elapsedMs / 1_000);
  }
}
