import { Injectable } from '@nestjs/common';
import { Metrics, type Labels } from '../metrics/index.js';
import { ConnectionRegistry } from './connection-registry.js';

/** Numbers of the edge: connections now, events by name and outcome, time to the answer. */
@Injectable()
export class EventMetrics {
  private readonly known = new Map<string, EventLabels>();

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
    const labels = this.labelsOf(event);
    this.metrics.count('parley_events_total', labels.outcome(outcome));
    this.metrics.observe('parley_event_seconds', elapsedMs / 1_000, labels.event);
  }

  private labelsOf(event: string): EventLabels {
    let labels = this.known.get(event);
    if (!labels) this.known.set(event, (labels = new EventLabels(event)));
    return labels;
  }
}

/** One event's labels, kept: metrics are found faster by the same object. */
class EventLabels {
  readonly event: Labels;
  private readonly outcomes = new Map<string, Labels>();

  constructor(private readonly name: string) {
    this.event = { event: name };
  }

  outcome(outcome: string): Labels {
    let labels = this.outcomes.get(outcome);
    if (!labels) this.outcomes.set(outcome, (labels = { event: this.name, outcome }));
    return labels;
  }
}
