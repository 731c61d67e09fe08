import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { GroupedCalls } from './grouped-calls.js';

/** Answers each question with itself, and notes which came together. */
function grouped(maxGroup: number, paceMs: number) {
  const groups: number[][] = [];
  const answerAll = async (questions: number[]) => {
    groups.push(questions);
    return questions;
  };
  return { groups, calls: new GroupedCalls(answerAll, maxGroup, 1, paceMs) };
}

describe('GroupedCalls', () => {
  it('asks at once at rest, and together what comes before the pace allows the next query', async () => {
    const { groups, calls } = grouped(10, 50);
    const startedMs = performance.now();
    expect(await calls.ask(1)).toBe(1);
    const second = calls.ask(2);
    await pause(10);
    expect(await Promise.all([second, calls.ask(3)])).toEqual([2, 3]);
    expect(groups).toEqual([[1], [2, 3]]);
    expect(performance.now() - startedMs).toBeGreaterThanOrEqual(49);
  });

  it('does not keep a full group waiting', async () => {
    const { groups, calls } = grouped(2, 60_000);
    await calls.ask(1);
    const second = calls.ask(2);
    await pause(5);
    expect(await Promise.all([second, calls.ask(3)])).toEqual([2, 3]);
    expect(groups).toEqual([[1], [2, 3]]);
  });
});
