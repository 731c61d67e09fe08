import { Injectable, Logger, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { Clock } from '../common/index.js';
import { Metrics } from '../metrics/index.js';
import { Sql } from './sql.js';

const intervalMs = 15_000;
const toleratedMs = 5_000;
const reportEveryMs = 600_000;

/**
 * Compares the clock of this node with that of Postgres, which decides what several nodes must
 * agree on. A node's own clock still decides when a token expires, so a wrong one refuses good
 * tokens or takes expired ones.
 *
 * The difference is the metric `parley_clock_skew_seconds`. Above 5 s it is also a line of the log,
 * at most every ten minutes.
 *
 * @see docs/protocol.md#rest
 */
@Injectable()
export class ClockWatch implements OnModuleInit, OnApplicationShutdown {
  private readonly logger = new Logger('Clock');
  private timer: NodeJS.Timeout | undefined;
  private skewMs = 0;
  private isOff = false;
  private reportedMs = -Infinity;

  constructor(
    private readonly sql: Sql,
    private readonly clock: Clock,
    private readonly metrics: Metrics,
  ) {}

  async onModuleInit(): Promise<void> {
    this.metrics.sample('parley_clock_skew_seconds', () => [{ value: this.skewMs / 1_000 }]);
    await this.look();
    this.timer = setInterval(() => void this.look(), intervalMs).unref();
  }

  onApplicationShutdown(): void {
    clearInterval(this.timer);
  }

  /** Keeps the last difference while Postgres does not answer. */
  async look(): Promise<void> {
    const beforeMs = this.clock.now();
    try {
      const [row] = await this.sql.rows<{ ms: number }>({
        name: 'clock-watch',
        text: `SELECT (extract(epoch FROM clock_timestamp()) * 1000)::float8 AS ms`,
        values: [],
      });
      this.note(differenceMs(beforeMs, this.clock.now(), row!.ms));
    } catch {
      // Whoever needs Postgres says that it is unavailable; here nothing is learned.
    }
  }

  private note(skewMs: number): void {
    const wasOff = this.isOff;
    this.skewMs = skewMs;
    this.isOff = Math.abs(skewMs) > toleratedMs;
    if (this.isOff && performance.now() - this.reportedMs > reportEveryMs) {
      this.reportedMs = performance.now();
      const seconds = Math.round(Math.abs(skewMs) / 1_000);
      this.logger.warn(
        `The clock of this node is ${seconds} s ${skewMs > 0 ? 'ahead of' : 'behind'} the clock of Postgres: tokens expire at ` +
          `the wrong time on this node. Synchronise both clocks, for example by NTP.`,
      );
    }
    if (wasOff && !this.isOff) {
      this.reportedMs = -Infinity;
      this.logger.log('The clock of this node agrees with the clock of Postgres again');
    }
  }
}

/**
 * The difference that the time of the question and of the answer prove; 0: the database's time lies
 * between the two.
 */
function differenceMs(beforeMs: number, afterMs: number, databaseMs: number): number {
  if (beforeMs > databaseMs) return beforeMs - databaseMs;
  // The node's clock leaves out fractions of a millisecond, the database's does not.
  return Math.min(0, afterMs + 1 - databaseMs);
}
