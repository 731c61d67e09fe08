import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { makeSettings } from '../config/index.js';
import { PrometheusMetrics } from '../metrics/index.js';
import { RedeliveryBudget, type HeldPage } from './redelivery.budget.js';
import { eventually } from '../../test/setup/patience.js';

const mebibyte = 1_048_576;
const owner = () => ({ askForPages: vi.fn(), giveUp: vi.fn() });
let budget: RedeliveryBudget;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance'] });
  budget = new RedeliveryBudget(
    makeSettings({ jwtSecret: 'x'.repeat(32), redeliveryBudgetBytes: 4 * mebibyte }),
    new PrometheusMetrics(),
  );
});

afterEach(() => void vi.useRealTimers());

/** Waits for room as soon as it can; the list grows when it has it. */
function takeInto(taken: HeldPage[], by = owner()): void {
  void budget.room(by).then((page) => taken.push(page));
}

it('never gives out more than it has, and gives in order', async () => {
  const taken: HeldPage[] = [];
  for (let i = 0; i < 50; i++) takeInto(taken);
  let peak = 0;
  for (let seen = 0; seen < 50; seen++) {
    await eventually(() => expect(taken.length).toBeGreaterThan(seen));
    peak = Math.max(peak, budget.heldBytes);
    taken[seen]!.measured(100, 60_000);
    peak = Math.max(peak, budget.heldBytes);
    if (seen % 3 !== 2) taken[seen]!.release();
  }
  expect(peak).toBeLessThanOrEqual(budget.maxBytes);
  expect(peak).toBeGreaterThan(3 * mebibyte);
  for (const page of taken) page.release();
  for (const page of taken) page.release();
  expect(budget).toMatchObject({ heldBytes: 0, isContended: false });
});

it('reads a page even where one is larger than all there is', async () => {
  budget = new RedeliveryBudget(
    makeSettings({ jwtSecret: 'x'.repeat(32), redeliveryBudgetBytes: 1_000 }),
    new PrometheusMetrics(),
  );
  const taken: HeldPage[] = [];
  takeInto(taken);
  takeInto(taken);
  await eventually(() => expect(taken).toHaveLength(1));
  taken[0]!.release();
  await eventually(() => expect(taken).toHaveLength(2));
});

it('asks holders for proof as soon as others wait, and cuts who takes nothing for ten seconds', async () => {
  const [slow, other] = [owner(), owner()];
  const taken: HeldPage[] = [];
  for (let i = 0; i < 4; i++) takeInto(taken, slow);
  await eventually(() => expect(taken).toHaveLength(4));
  vi.advanceTimersByTime(60_000);
  expect(slow.giveUp).not.toHaveBeenCalled();
  const late: HeldPage[] = [];
  slow.askForPages.mockClear();
  for (const page of taken.splice(0)) page.release();
  for (let i = 0; i < 4; i++) takeInto(taken, slow);
  takeInto(late, other);
  expect(slow.askForPages).toHaveBeenCalled();
  await eventually(() => expect(taken).toHaveLength(4));
  vi.advanceTimersByTime(9_000);
  expect(slow.giveUp).not.toHaveBeenCalled();
  vi.advanceTimersByTime(3_000);
  expect(slow.giveUp).toHaveBeenCalled();
  expect(late).toHaveLength(0);
  for (const page of taken) page.release();
  await eventually(() => expect(late).toHaveLength(1));
  expect(other.giveUp).not.toHaveBeenCalled();
});
