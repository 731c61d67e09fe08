import { Injectable } from '@nestjs/common';
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import { Metrics, type Labels, type Sample, type Scrape } from './metrics.js';
import { metricsTable, type CounterName, type GaugeName, type HistogramName } from './metrics.table.js';

const noLabels: Labels = {};

/**
 * Counts since the last scrape, per label. They are added to prom-client then, since each call of
 * it takes a microsecond.
 */
interface Tally {
  counter: Counter.Internal;
  uncounted: number;
}

interface Entry {
  help: string;
  labels?: readonly string[];
  buckets?: readonly number[];
}

/**
 * Prometheus by prom-client, with a registry of its own: two applications in one process do not
 * mix.
 *
 * Includes prom-client's defaults, `nodejs_eventloop_lag_*` among them.
 */
@Injectable()
export class PrometheusMetrics extends Metrics {
  private readonly registry = new Registry();
  private readonly readers = new Map<GaugeName, () => Sample[]>();
  private readonly counters = this.make(metricsTable.counters, (config) => new Counter(config));
  private readonly gauges = this.make(metricsTable.gauges, (config) => new Gauge(config));
  private readonly histograms = this.make(metricsTable.histograms, (config) => new Histogram(config));

  // By the labels' object: a caller that keeps it spares the look-up by its values.
  private readonly observers = this.make(
    metricsTable.histograms,
    () => new WeakMap<Labels, Histogram.Internal<string>>(),
  );

  private readonly tallies = this.make(metricsTable.counters, () => new WeakMap<Labels, Tally>());
  private uncounted: Tally[] = [];

  constructor() {
    super();
    collectDefaultMetrics({ register: this.registry });
  }

  override count(name: CounterName, labels: Labels = noLabels, by = 1): void {
    const tally = this.tallies[name].get(labels);
    if (!tally) {
      const counter = this.counters[name].labels(labels);
      counter.inc(by);
      this.tallies[name].set(labels, { counter, uncounted: 0 });
      return;
    }
    if (tally.uncounted === 0) this.uncounted.push(tally);
    tally.uncounted += by;
  }

  override set(name: GaugeName, value: number, labels: Labels = {}): void {
    this.gauges[name].set(labels, value);
  }

  override observe(name: HistogramName, value: number, labels: Labels = noLabels): void {
    let observer = this.observers[name].get(labels);
    if (!observer) this.observers[name].set(labels, (observer = this.histograms[name].labels(labels)));
    observer.observe(value);
  }

  override sample(name: GaugeName, read: () => Sample[]): void {
    this.readers.set(name, read);
  }

  override async scrape(): Promise<Scrape> {
    this.countUp();
    for (const [name, read] of this.readers) {
      for (const { value, labels } of read()) this.set(name, value, labels);
    }
    return { contentType: this.registry.contentType, text: await this.registry.metrics() };
  }

  private countUp(): void {
    const tallies = this.uncounted;
    this.uncounted = [];
    for (const tally of tallies) {
      tally.counter.inc(tally.uncounted);
      tally.uncounted = 0;
    }
  }

  private make<Name extends string, Metric>(
    entries: Record<Name, Entry>,
    create: (config: {
      name: string;
      help: string;
      labelNames: string[];
      buckets: number[];
      registers: Registry[];
    }) => Metric,
  ): Record<Name, Metric> {
    const made = Object.entries<Entry>(entries).map(([name, { help, labels = [], buckets = [] }]) => [
      name,
      create({ name, help, labelNames: [...labels], buckets: [...buckets], registers: [this.registry] }),
    ]);
    return Object.fromEntries(made) as Record<Name, Metric>;
  }
}
