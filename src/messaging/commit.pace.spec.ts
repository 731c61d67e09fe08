import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { CommitPace } from './commit.pace.js';

beforeEach(() => void vi.useFakeTimers({ toFake: ['performance'] }));
afterEach(() => void vi.useRealTimers());

function commit(pace: CommitPace, elapsedMs: number): void {
  pace.started();
  vi.advanceTimersByTime(elapsedMs);
  pace.ended();
}

it('admits what will be committed within the limit, by the batches before', () => {
  const pace = new CommitPace(1_000);
  for (let i = 0; i < 20; i++) commit(pace, 100);
  pace.started();
  expect(pace.admits(9)).toBe(true);
  expect(pace.admits(11)).toBe(false);
});

it('takes a batch that is not back for longer than the limit as a sign', () => {
  const pace = new CommitPace(1_000);
  commit(pace, 1);
  pace.started();
  vi.advanceTimersByTime(900);
  expect(pace.admits(1)).toBe(true);
  vi.advanceTimersByTime(200);
  expect(pace.admits(1)).toBe(false);
});

it('takes one slow batch for one', () => {
  const pace = new CommitPace(1_000);
  for (let i = 0; i < 20; i++) commit(pace, 20);
  pace.started();
  vi.advanceTimersByTime(400);
  expect(pace.admits(7)).toBe(true);
  vi.advanceTimersByTime(600);
  expect(pace.admits(7)).toBe(false);
});

it('admits always when nothing is being committed, and forgets a bad time soon', () => {
  const pace = new CommitPace(1_000);
  commit(pace, 5_000);
  expect(pace.admits(1)).toBe(true);
  for (let i = 0; i < 10; i++) commit(pace, 5);
  pace.started();
  expect(pace.admits(5)).toBe(true);
});
