import { describe, expect, it } from 'vitest';
import { ToldPresences } from './told-presences.js';

describe('ToldPresences', () => {
  const alice = (status: 'online' | 'away' | 'offline') => ({ userId: 'alice', status });

  it('lets nothing through that was overtaken, and keeps users apart', () => {
    const told = new ToldPresences();
    expect(told.advance(alice('online'), 2_000)).toBe(true);
    expect(told.advance(alice('offline'), 1_000)).toBe(false);
    expect(told.advance({ userId: 'bob', status: 'offline' }, 1_000)).toBe(true);
    expect(told.advance(alice('away'), 2_000)).toBe(true);
    expect(told.visibleUserIds()).toEqual(['alice']);
  });

  it('takes what is much older for new: the store’s clock was set back', () => {
    const told = new ToldPresences();
    told.advance(alice('online'), 60_000_000);
    expect(told.advance(alice('offline'), 40_000_000)).toBe(true);
    expect(told.visibleUserIds()).toEqual([]);
  });

  it('learns from answers who is there, without taking the event that is on its way for old', () => {
    const told = new ToldPresences();
    told.answer('alice', 'online');
    told.answer('bob', 'offline');
    told.answer('carol', 'unknown');
    expect(told.visibleUserIds()).toEqual(['alice']);
    expect(told.advance(alice('online'), 1_000)).toBe(true);
    expect(told.advance(alice('offline'), 2_000)).toBe(true);
    told.answer('alice', 'online');
    expect(told.visibleUserIds()).toEqual([]);
  });
});
