import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { Deadlines } from './deadlines.js';

beforeEach(() => vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance'] }));
afterEach(() => vi.useRealTimers());

it('calls once for each item that was not taken out in time, in the order they were added', () => {
  const due: string[] = [];
  const deadlines = new Deadlines<{ name: string }>(1_000, ({ name }) => due.push(name));
  const [first, second, third] = ['first', 'second', 'third'].map((name) => ({ name }));
  deadlines.add(first!);
  deadlines.add(second!);
  vi.advanceTimersByTime(500);
  deadlines.add(third!);
  deadlines.delete(second!);
  vi.advanceTimersByTime(490);
  expect(due).toEqual([]);
  vi.advanceTimersByTime(60);
  expect(due).toEqual(['first']);
  vi.advanceTimersByTime(2_000);
  expect(due).toEqual(['first', 'third']);
});

it('leaves no timer behind when nothing waits, and begins anew', () => {
  const due: object[] = [];
  const deadlines = new Deadlines<object>(1_000, (item) => due.push(item));
  const item = {};
  deadlines.add(item);
  deadlines.delete(item);
  vi.advanceTimersByTime(100);
  expect(vi.getTimerCount()).toBe(0);
  deadlines.add(item);
  vi.advanceTimersByTime(1_100);
  expect(due).toEqual([item]);
});
