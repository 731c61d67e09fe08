import type { CounterName, GaugeName, HistogramName } from './metrics.table.js';

/**
 * Label values by label name. From a closed set: an unknown event name is recorded as `unknown`.
 */
export type Labels = Record<string, string>;

/** One value of a gauge. */
export interface Sample {
  value: number;
  labels?: Labels;
}

export interface Scrape {
  contentType: string;
  text: string;
}

/**
 * Records numbers about this process. Seam and DI token; default {@link PrometheusMetrics}.
 *
 * Called on hot paths: an implementation must not throw or block, nor change what it is given.
 * Names and units are those of {@link metricsTable} (times are seconds).
 *
 * @since 0.1.0
 */
export abstract class Metrics {
  /** @param labels kept by whoever counts often: the same object is found faster */
  abstract count(name: CounterName, labels?: Labels, by?: number): void;
  abstract set(name: GaugeName, value: number, labels?: Labels): void;
  /** @param labels kept by whoever observes often, as in {@link count} */
  abstract observe(name: HistogramName, value: number, labels?: Labels): void;
  /**
   * Reads a gauge when somebody looks, instead of setting it at every change. One reader a gauge:
   * the last wins.
   */
  abstract sample(name: GaugeName, read: () => Sample[]): void;
  /** Everything recorded so far, in the form a collector fetches from `/metrics`. */
  abstract scrape(): Promise<Scrape>;
}
