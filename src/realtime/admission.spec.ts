import { describe, expect, it } from 'vitest';
import { Clock } from '../common/index.js';
import { makeSettings } from '../config/index.js';
import { HandshakeAdmission } from './admission.js';
import { atMost } from '../../test/setup/patience.js';

class StillClock extends Clock {
  nowMs = 0;
  override now(): number {
    return this.nowMs;
  }
}

function admission(clock: Clock): HandshakeAdmission {
  return new HandshakeAdmission(clock, makeSettings({ handshakesPerSecond: 100, handshakesBurst: 10 }));
}

async function outcomes(gate: HandshakeAdmission, count: number): Promise<{ admitted: number; refused: unknown[] }> {
  const settled = await Promise.allSettled(
    Array.from({ length: count }, (_, i) => gate.run(`user-${i}`, async () => undefined)),
  );
  const refused = settled.filter((one) => one.status === 'rejected').map((one): unknown => one.reason);
  return { admitted: count - refused.length, refused };
}

describe('HandshakeAdmission', () => {
  it('lets a burst in at once, lets 1.5 s of the rate wait, and refuses the rest with a time', async () => {
    const startedMs = performance.now();
    const { admitted, refused } = await outcomes(admission(new StillClock()), 170);
    expect(admitted).toBe(10 + 150);
    expect(refused).toHaveLength(10);
    expect(refused[0]).toMatchObject({ code: 'RATE_LIMITED', retryAfterMs: 1_510 });
    expect(performance.now() - startedMs).toBeGreaterThan(1_400);
  });

  it('is whole again after a while', async () => {
    const clock = new StillClock();
    const gate = admission(clock);
    await outcomes(gate, 10);
    clock.nowMs = 1_000;
    const startedMs = performance.now();
    expect((await outcomes(gate, 10)).admitted).toBe(10);
    expect(performance.now() - startedMs).toBeLessThan(atMost(100));
  });

  it('works on 50 at a time', async () => {
    const gate = new HandshakeAdmission(new StillClock(), makeSettings());
    let running = 0;
    let most = 0;
    const work = async () => {
      most = Math.max(most, ++running);
      await new Promise((resolve) => setTimeout(resolve, 5));
      running -= 1;
    };
    await Promise.all(Array.from({ length: 500 }, (_, i) => gate.run(`user-${i}`, work)));
    expect(most).toBe(50);
  });

  it('leaves places for others, however often one user comes', async () => {
    const gate = new HandshakeAdmission(
      new StillClock(),
      makeSettings({ handshakesPerSecond: 100, handshakesBurst: 50, maxSocketsPerUser: 20 }),
    );
    const crowd = await Promise.allSettled(Array.from({ length: 500 }, () => gate.run('crowd', async () => undefined)));
    expect(crowd.filter(({ status }) => status === 'fulfilled')).toHaveLength(40);
    expect((await outcomes(gate, 10)).admitted).toBe(10);
  });
});
