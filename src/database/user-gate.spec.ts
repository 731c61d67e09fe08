import { describe, expect, it } from 'vitest';
import { UserGate } from './user-gate.js';

/** Works that end when the test says so. */
class Works {
  running = 0;
  most = 0;
  private readonly ends: (() => void)[] = [];

  readonly work = async (): Promise<void> => {
    this.most = Math.max(this.most, ++this.running);
    await new Promise<void>((resolve) => this.ends.push(resolve));
    this.running -= 1;
  };

  async endAll(): Promise<void> {
    while (this.running > 0) {
      this.ends.splice(0).forEach((end) => end());
      await new Promise(setImmediate);
    }
  }
}

describe('UserGate', () => {
  it('runs a few works of a user at once, lets some wait, and refuses the rest', async () => {
    const gate = new UserGate(2, 6);
    const works = new Works();
    const all = Promise.allSettled(Array.from({ length: 40 }, () => gate.run('mallory', works.work)));
    await new Promise(setImmediate);
    expect(works.running).toBe(2);
    await works.endAll();
    const outcomes = await all;
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(8);
    const refused = outcomes.find((one) => one.status === 'rejected');
    expect(refused?.reason).toMatchObject({ code: 'RATE_LIMITED', retryAfterMs: 1_000 });
    expect(works.most).toBe(2);
  });

  it('lets nobody wait for another user', async () => {
    const gate = new UserGate(1, 1);
    const works = new Works();
    const first = [gate.run('mallory', works.work), gate.run('mallory', works.work)];
    await gate.run('alice', async () => undefined);
    await works.endAll();
    await Promise.all(first);
  });

  it('goes on after a work that failed', async () => {
    const gate = new UserGate(1, 1);
    const failing = gate.run('mallory', () => Promise.reject(new Error('away')));
    const next = gate.run('mallory', async () => 'done');
    await expect(failing).rejects.toThrow('away');
    expect(await next).toBe('done');
    expect(await gate.run('mallory', async () => 'again')).toBe('again');
  });
});
