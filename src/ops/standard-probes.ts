import { Injectable, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { AccessWatch } from '../auth/index.js';
import { Sql } from '../database/index.js';
import { Metrics } from '../metrics/index.js';
import { NodeBus, RedisHealth } from '../redis/index.js';
import { HealthChecks } from './health-checks.js';
import { standardError, standardOutput } from './standard-output.js';

/**
 * Watches what every server stands on: Postgres, Redis, the way to the other nodes, and whether it
 * learns of revocations in time.
 */
@Injectable()
export class StandardProbes implements OnModuleInit, OnApplicationShutdown {
  private stopCounting: (() => void)[] = [];

  constructor(
    private readonly checks: HealthChecks,
    private readonly metrics: Metrics,
    private readonly sql: Sql,
    private readonly redis: RedisHealth,
    private readonly bus: NodeBus,
    private readonly watch: AccessWatch,
  ) {}

  onModuleInit(): void {
    this.checks.add('postgres', () => this.sql.assertWritable());
    this.checks.add('redis', () => this.redis.ping());
    this.checks.add('revocations', () => this.watch.assertKept());
    this.metrics.sample('parley_redis_up', () => [{ value: Number(this.redis.isUp) }]);
    this.metrics.sample('parley_bus_healthy', () => [{ value: Number(this.bus.isHealthy) }]);
    this.metrics.sample('parley_postgres_pool', () =>
      Object.entries(this.sql.usage).map(([state, value]) => ({ value, labels: { state } })),
    );
    this.countLostLines();
  }

  onApplicationShutdown(): void {
    for (const stop of this.stopCounting.splice(0)) stop();
  }

  private countLostLines(): void {
    const count = (lines: number): void => this.metrics.count('parley_log_lines_dropped_total', {}, lines);
    for (const output of [standardOutput, standardError]) {
      count(output.lostLines);
      this.stopCounting.push(output.onLost(count));
    }
  }
}
