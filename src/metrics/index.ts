/**
 * Numbers about this process: a seam to record them, and Prometheus as its default.
 *
 * A leaf below every feature, so that each may record; only `ops` shows them. Recording never
 * throws, never waits and costs well under a microsecond. Label values come from small closed sets,
 * never from what a client sent.
 */
export { Metrics, type Labels, type Sample, type Scrape } from './metrics.js';
export { metricsTable, type CounterName, type GaugeName, type HistogramName } from './metrics.table.js';
export { MetricsModule } from './metrics.module.js';
export { PrometheusMetrics } from './prometheus.metrics.js';
