import { Logger } from '@nestjs/common';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it, vi } from 'vitest';
import { createDatabase, type TestDatabase } from '../../test/setup/services.js';
import { Clock } from '../common/index.js';
import { PrometheusMetrics } from '../metrics/index.js';
import { ClockWatch } from './clock-watch.js';
import { Sql } from './sql.js';

class ShiftedClock extends Clock {
  shiftMs = 0;
  override now(): number {
    return Date.now() + this.shiftMs;
  }
}

let database: TestDatabase;
let pool: pg.Pool;
let clock: ShiftedClock;
let metrics: PrometheusMetrics;
let watch: ClockWatch;
let lines: string[];

beforeAll(async () => {
  database = await createDatabase();
  pool = new pg.Pool({ connectionString: database.url, max: 1 });
});

beforeEach(() => {
  lines = [];
  for (const level of ['warn', 'log'] as const) {
    vi.spyOn(Logger.prototype, level).mockImplementation((line: string) => void lines.push(line));
  }
  clock = new ShiftedClock();
  metrics = new PrometheusMetrics();
  watch = new ClockWatch(new Sql(pool), clock, metrics);
});

afterEach(() => {
  watch.onApplicationShutdown();
  vi.restoreAllMocks();
});

afterAll(async () => {
  await pool.end();
  await database.drop();
});

async function skewSeconds(): Promise<number> {
  return Number(/^parley_clock_skew_seconds(?:\{.*\})? (\S+)$/m.exec((await metrics.scrape()).text)![1]);
}

it('says nothing while the clocks agree', async () => {
  await watch.onModuleInit();
  expect(await skewSeconds()).toBe(0);
  expect(lines).toEqual([]);
});

it.each([
  [3_600_000, 3_600, /3600 s ahead of the clock of Postgres/],
  [-3_600_000, -3_600, /3600 s behind the clock of Postgres/],
])('names a difference of %i ms in the log, once, and as a metric', async (shiftMs, seconds, words) => {
  clock.shiftMs = shiftMs;
  await watch.onModuleInit();
  await watch.look();
  expect(lines).toEqual([expect.stringMatching(words)]);
  expect(Math.abs((await skewSeconds()) - seconds)).toBeLessThan(600);
});

it('says when the clocks agree again', async () => {
  clock.shiftMs = -3_600_000;
  await watch.onModuleInit();
  clock.shiftMs = 0;
  await watch.look();
  expect(lines.at(-1)).toMatch(/agrees with the clock of Postgres again/);
  expect(await skewSeconds()).toBe(0);
});

it('keeps what it knows while Postgres does not answer', async () => {
  clock.shiftMs = -3_600_000;
  await watch.onModuleInit();
  const gone = new pg.Pool({ connectionString: 'postgres://127.0.0.1:1/none' });
  const blind = new ClockWatch(new Sql(gone), clock, metrics);
  await blind.look();
  await gone.end();
  expect(await skewSeconds()).toBeLessThan(-3_000);
});
