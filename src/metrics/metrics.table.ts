/** One metric: what Prometheus needs to know about it. */
interface MetricEntry {
  help: string;
  labels?: readonly string[];
}

interface HistogramEntry extends MetricEntry {
  buckets: readonly number[];
}

const seconds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 3];

/**
 * Every metric of Parley by kind. The defaults of Node (event-loop delay, heap, CPU) come on top.
 */
export const metricsTable = {
  counters: {
    parley_events_total: { help: 'Client events by name and outcome', labels: ['event', 'outcome'] },
    parley_messages_appended_total: { help: 'Messages committed by this process' },
    parley_offline_queue_reads_total: {
      help: 'Connecting devices by what said what they lack: `queue`, or Postgres because the queue was `not-whole` or `away`',
      labels: ['source'],
    },
    parley_strangers_refused_total: {
      help: 'Links that have not signed in, refused or cut, by limit: `links` or unfinished `bytes`, in all or `…-of-address`',
      labels: ['reason'],
    },
    parley_log_lines_dropped_total: {
      help: 'Lines of the log that could not be written: disk full, or the reader of a pipe gone or too slow',
    },
    parley_offline_notifications_total: { help: 'Notifications of absent users', labels: ['outcome'] },
  },
  gauges: {
    parley_revocation_lag_seconds: {
      help: 'Age of the last complete reading of revocations and changes of members',
    },
    parley_clock_skew_seconds: { help: 'Clock of this node minus that of Postgres; 0 while they agree' },
    parley_connections: { help: 'Open sockets of this process' },
    parley_open_files_exhausted: { help: '1 while this process may open no more files, so new connections are closed' },
    parley_outbox_rows: { help: 'Commits of this process that are not announced yet' },
    parley_redelivery_held_bytes: { help: 'Memory taken by what is on its way to returning devices' },
    parley_redelivery_waiting: { help: 'Pages of missed messages that wait for memory' },
    parley_strangers: { help: 'Links that have not signed in, and their unfinished bytes', labels: ['what'] },
    parley_bus_healthy: { help: '1 while other nodes can be reached, else 0' },
    parley_redis_up: { help: '1 while Redis answers, else 0' },
    parley_postgres_pool: { help: 'Postgres connections by state, and callers waiting for one', labels: ['state'] },
  },
  histograms: {
    parley_event_seconds: { help: 'From a client event to its answer', labels: ['event'], buckets: seconds },
    parley_commit_seconds: { help: 'Appending one batch of messages, commit included', buckets: seconds },
    parley_commit_batch_size: { help: 'Messages of one batch', buckets: [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024] },
    parley_receipt_batch_size: { help: 'Receipts of one statement', buckets: [1, 2, 4, 8, 16, 32, 64, 128, 256, 512] },
  },
} as const satisfies {
  counters: Record<string, MetricEntry>;
  gauges: Record<string, MetricEntry>;
  histograms: Record<string, HistogramEntry>;
};

export type CounterName = keyof (typeof metricsTable)['counters'];
export type GaugeName = keyof (typeof metricsTable)['gauges'];
export type HistogramName = keyof (typeof metricsTable)['histograms'];
