import { describe, expect, it } from 'vitest';
import { ArrivalOrder } from './arrival-order.js';

describe('ArrivalOrder', () => {
  it('lets the first go at once', () => {
    expect(new ArrivalOrder().take().ready).toBeNull();
  });

  it('lets each go when all before it are released, in whatever order they are', async () => {
    const order = new ArrivalOrder();
    const [first, second, third] = [order.take(), order.take(), order.take()];
    const went: string[] = [];
    const all = [second, third].map(async (turn, i) => {
      await turn.ready;
      went.push(['second', 'third'][i]!);
    });

    second.release();
    await Promise.resolve();
    expect(went).toEqual([]);
    first.release();
    await Promise.all(all);
    expect(went.sort()).toEqual(['second', 'third']);
    expect(third.ready).toBeNull();
  });

  it('does not let one go before a released one that waits behind an open one', async () => {
    const order = new ArrivalOrder();
    const [first, second, third] = [order.take(), order.take(), order.take()];
    let hasGone = false;
    const waiting = third.ready!.then(() => (hasGone = true));

    second.release();
    second.release();
    await Promise.resolve();
    expect(hasGone).toBe(false);
    first.release();
    await waiting;
  });

  it('begins anew when all are released', () => {
    const order = new ArrivalOrder();
    order.take().release();
    expect(order.take().ready).toBeNull();
  });
});
