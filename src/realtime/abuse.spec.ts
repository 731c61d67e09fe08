import { describe, expect, it } from 'vitest';
import { AbuseWatch } from './abuse.js';

function refuse(watch: AbuseWatch, times: number, nowMs: number): boolean {
  let isAbuse = false;
  for (let i = 0; i < times; i++) isAbuse = watch.refused(nowMs);
  return isAbuse;
}

describe('AbuseWatch', () => {
  it('takes more than ten bursts refused within 10 s for abuse', () => {
    const watch = new AbuseWatch(5);
    expect(refuse(watch, 50, 20_000)).toBe(false);
    expect(refuse(watch, 1, 29_000)).toBe(true);
  });

  it('forgets after 10 s', () => {
    const watch = new AbuseWatch(5);
    refuse(watch, 50, 20_000);
    expect(refuse(watch, 50, 30_001)).toBe(false);
  });
});
