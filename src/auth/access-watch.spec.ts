import { Logger } from '@nestjs/common';
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { ChatError } from '../common/index.js';
import { makeSettings } from '../config/index.js';
import type { Metrics } from '../metrics/index.js';
import { AccessWatch } from './access-watch.js';

let watch: AccessWatch;
let read: () => Promise<void>;
let readings: number;

const away = async (): Promise<void> => {
  throw new ChatError('UNAVAILABLE', { cause: new Error('connection refused') });
};

beforeAll(() => Logger.overrideLogger(false));

beforeEach(async () => {
  vi.useFakeTimers();
  readings = 0;
  read = async () => undefined;
  watch = new AccessWatch(makeSettings({ revocationBoundMs: 2_000 }), {
    sample: () => undefined,
  } as unknown as Metrics);
  watch.add(async () => {
    readings += 1;
    await read();
  });
  await watch.onApplicationBootstrap();
});

afterEach(async () => {
  vi.useRealTimers();
  await watch.onApplicationShutdown();
});

describe('AccessWatch', () => {
  it('reads every list four times within the bound', async () => {
    await vi.advanceTimersByTimeAsync(2_000);
    expect(readings).toBe(1 + 4);
    expect(watch.isKept).toBe(true);
  });

  it('says that the bound is not kept when the last complete reading is older, and recovers by itself', async () => {
    let other = async (): Promise<void> => undefined;
    watch.add(() => other());
    await vi.advanceTimersByTimeAsync(500);
    other = away;
    await vi.advanceTimersByTimeAsync(2_000);
    expect(watch.isKept).toBe(true);
    await vi.advanceTimersByTimeAsync(1);
    expect(watch.isKept).toBe(false);
    const asserted = expect(watch.assertKept()).rejects.toMatchObject({ code: 'UNAVAILABLE', retryAfterMs: 1_000 });
    await vi.advanceTimersByTimeAsync(300);
    await asserted;
    other = async () => undefined;
    await vi.advanceTimersByTimeAsync(100);
    expect(watch.isKept).toBe(true);
  });

  it('counts from the beginning of a reading: what commits meanwhile may be missing', async () => {
    read = () => new Promise((resolve) => setTimeout(resolve, 1_500));
    await vi.advanceTimersByTimeAsync(500 + 1_500);
    // That reading began at 500.
    await vi.advanceTimersByTimeAsync(500);
    expect(watch.isKept).toBe(true);
    await vi.advanceTimersByTimeAsync(1);
    expect(watch.isKept).toBe(false);
    await vi.advanceTimersByTimeAsync(1_500);
  });

  it('reads at once for who asks late, and makes nobody wait for a reading that hangs', async () => {
    read = away;
    await vi.advanceTimersByTimeAsync(2_050);
    read = async () => undefined;
    await watch.assertKept();
    expect(watch.isKept).toBe(true);
    read = () => new Promise(() => undefined);
    await vi.advanceTimersByTimeAsync(2_600);
    const asked = Promise.allSettled([watch.assertKept(), watch.assertKept()]);
    await vi.advanceTimersByTimeAsync(300);
    expect((await asked).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    vi.useRealTimers();
    watch = new AccessWatch(makeSettings({}), { sample: () => undefined } as unknown as Metrics);
  });

  it('does not start a node that cannot read', async () => {
    read = away;
    await expect(watch.onApplicationBootstrap()).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  });
});
