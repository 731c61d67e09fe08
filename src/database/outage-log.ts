import { Logger } from '@nestjs/common';
import { reasonOf } from './reason.js';

const intervalMs = 10_000;
// What one transaction does to another is no outage: 40 rollback, 55P03 lock not available, 57014
// cancelled.
const everyday = /^(40|55P03|57014)/;

/**
 * Tells operators in Postgres' own words why it cannot be used; clients are told only that it is
 * away. A line in ten seconds.
 */
export class OutageLog {
  private readonly logger = new Logger('Postgres');
  private lastMs = -Infinity;

  note(error: Error & { code?: string }): void {
    const { code = '' } = error;
    const nowMs = performance.now();
    if (everyday.test(code) || nowMs - this.lastMs < intervalMs) return;
    this.lastMs = nowMs;
    this.logger.warn(`Postgres cannot be used: ${reasonOf(error)}`);
  }
}
