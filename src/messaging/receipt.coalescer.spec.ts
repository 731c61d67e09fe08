import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ReceiptCoalescer } from './receipt.coalescer.js';

describe('ReceiptCoalescer', () => {
  const coalescer = new ReceiptCoalescer();
  let sent: string[];

  beforeEach(() => {
    vi.useFakeTimers();
    sent = [];
  });

  afterEach(() => {
    coalescer.onApplicationShutdown();
    vi.useRealTimers();
  });

  const offer = (key: string, what: string) => coalescer.offer(key, () => sent.push(what));

  it('sends the first at once and the latest of each second, per key', () => {
    for (const what of ['a1', 'a2', 'a3']) offer('a', what);
    offer('b', 'b1');
    expect(sent).toEqual(['a1', 'b1']);
    vi.advanceTimersByTime(1_000);
    expect(sent).toEqual(['a1', 'b1', 'a3']);
    offer('a', 'a4');
    vi.advanceTimersByTime(999);
    expect(sent).toHaveLength(3);
    vi.advanceTimersByTime(1);
    expect(sent.at(-1)).toBe('a4');
  });

  it('starts anew after a second of silence, and keeps nothing', () => {
    offer('a', 'a1');
    vi.advanceTimersByTime(1_000);
    expect(vi.getTimerCount()).toBe(0);
    offer('a', 'a2');
    expect(sent).toEqual(['a1', 'a2']);
  });

  it('leaves no timer behind at shutdown', () => {
    offer('a', 'a1');
    offer('a', 'a2');
    coalescer.onApplicationShutdown();
    expect(vi.getTimerCount()).toBe(0);
  });
});
