import { describe, expect, it } from 'vitest';
import { PrometheusMetrics } from './prometheus.metrics.js';

describe('PrometheusMetrics', () => {
  it('shows counters, gauges and histograms under their declared names', async () => {
    const metrics = new PrometheusMetrics();
    metrics.count('parley_events_total', { event: 'send-message', outcome: 'ok' });
    metrics.set('parley_connections', 3);
    metrics.observe('parley_commit_batch_size', 5);
    const { text, contentType } = await metrics.scrape();
    expect(contentType).toContain('text/plain');
    expect(text).toContain('parley_events_total{event="send-message",outcome="ok"} 1');
    expect(text).toContain('parley_connections 3');
    expect(text).toContain('parley_commit_batch_size_bucket{le="4"} 0');
    expect(text).toContain('parley_commit_batch_size_bucket{le="8"} 1');
    expect(text).toContain('nodejs_eventloop_lag_p99_seconds');
  });

  it('counts all, whether the labels are kept or made anew, between looks and after', async () => {
    const metrics = new PrometheusMetrics();
    const kept = { event: 'send-message', outcome: 'ok' };
    for (let i = 0; i < 3; i++) {
      metrics.count('parley_events_total', kept);
      metrics.count('parley_events_total', { ...kept }, 10);
    }
    expect((await metrics.scrape()).text).toContain('outcome="ok"} 33');
    metrics.count('parley_events_total', kept);
    await metrics.scrape();
    expect((await metrics.scrape()).text).toContain('outcome="ok"} 34');
  });

  it('reads sampled gauges at the time of the scrape', async () => {
    const metrics = new PrometheusMetrics();
    let waiting = 1;
    metrics.sample('parley_postgres_pool', () => [{ value: waiting, labels: { state: 'waiting' } }]);
    waiting = 7;
    expect((await metrics.scrape()).text).toContain('parley_postgres_pool{state="waiting"} 7');
  });

  it('keeps the numbers of two applications apart', async () => {
    const [one, other] = [new PrometheusMetrics(), new PrometheusMetrics()];
    one.count('parley_messages_appended_total', {}, 4);
    expect((await one.scrape()).text).toContain('parley_messages_appended_total 4');
    expect((await other.scrape()).text).toContain('parley_messages_appended_total 0');
  });
});
