import { Global, Module } from '@nestjs/common';
import { Metrics } from './metrics.js';
import { PrometheusMetrics } from './prometheus.metrics.js';

/** Offers {@link Metrics} everywhere. */
@Global()
@Module({ providers: [{ provide: Metrics, useClass: PrometheusMetrics }], exports: [Metrics] })
export class MetricsModule {}
