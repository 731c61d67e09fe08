import { Injectable } from '@nestjs/common';
import { Metrics, type Labels } from '../metrics/index.js';
import { ConnectionRegistry } from './connection-registry.js';

/** Numbers of the edge: connections now, events by name and outcome, time to the answer. */
@Injectable()
export class EventMetrics {
  private readonly labels = new Map<string, Labels>();

  constructor(
    private readonly metrics: Metrics,
    registry: ConnectionRegistry,
  ) {
    this.metrics.sample('parley_connections', () => [{ value: registry.size }]);
  }

  /**
   * @param event a name some gateway handles, or `unknown`
   * @param outcome `ok` or an error code
   */
  record(event: string, outcome: string, elapsedMs: number): void {
    this.metrics.count('parley_events_total', { event, outcome });
    this.metrics.observe('parley_event_seconds', elapsedMs / 1_000, this.labelsOf(event));
  }

  private labelsOf(event: string): Labels {
    let labels = this.labels.get(event);
    if (!labels) this.labels.set(event, (labels = { event }));
    return labels;
  }
}
