import { expect, it } from 'vitest';
import { KeyedQueue } from './keyed-queue.js';

it('runs tasks of one key in order, whatever their time, and others beside them', async () => {
  const queue = new KeyedQueue();
  const done: string[] = [];
  let open!: () => void;
  const gate = new Promise<void>((resolve) => (open = resolve));
  const first = queue.run('a', () => gate.then(() => void done.push('a1')));
  const second = queue.run('a', async () => void done.push('a2'));
  expect([queue.isIdle('a'), queue.isIdle('b')]).toEqual([false, true]);
  await queue.run('b', async () => void done.push('b1'));
  open();
  await Promise.all([first, second]);
  expect(done).toEqual(['b1', 'a1', 'a2']);
  await expect.poll(() => queue.isIdle('a')).toBe(true);
});

it('goes on after a task that failed', async () => {
  const queue = new KeyedQueue();
  const failed = queue.run('a', () => Promise.reject(new Error('no')));
  const next = queue.run('a', () => Promise.resolve());
  await expect(failed).rejects.toThrow('no');
  await expect(next).resolves.toBeUndefined();
});
