import { describe, expect, it, vi } from 'vitest';
import { LogOutput } from './log-output.js';

/** A descriptor that accepts a limited number of bytes per call, or fails. */
class Descriptor {
  written = '';
  code: string | null = null;
  takes = Infinity;

  readonly write = (bytes: Uint8Array): number => {
    if (this.code !== null) throw Object.assign(new Error(`${this.code}: write`), { code: this.code });
    const taken = Math.min(this.takes, bytes.length);
    this.written += Buffer.from(bytes.subarray(0, taken)).toString();
    return taken;
  };
}

function open() {
  const descriptor = new Descriptor();
  const output = new LogOutput(descriptor.write, (text) => `NOTICE ${text}\n`);
  return { descriptor, output };
}

describe('LogOutput', () => {
  it.each(['ENOSPC', 'EFBIG', 'EPIPE', 'EIO', 'EBADF'])('loses and counts lines on %s, and never throws', (code) => {
    const { descriptor, output } = open();
    const heard: number[] = [];
    output.onLost((lines) => heard.push(lines));
    descriptor.code = code;
    for (const line of ['a\n', 'b\n', 'c\n']) output.write(line);
    expect([output.lostLines, heard, descriptor.written]).toEqual([3, [1, 1, 1], '']);
  });

  it('says once how many lines were lost and why when writing works again', () => {
    const { descriptor, output } = open();
    descriptor.code = 'ENOSPC';
    output.write('a\n');
    output.write('b\n');
    descriptor.code = null;
    output.write('c\n');
    output.write('d\n');
    expect(descriptor.written).toBe('NOTICE 2 lines of the log were lost: ENOSPC: write. The log works again\nc\nd\n');
    expect(output.lostLines).toBe(2);
  });

  it('says so by itself, without waiting for the next line', () => {
    vi.useFakeTimers();
    try {
      const { descriptor, output } = open();
      descriptor.code = 'ENOSPC';
      output.write('a\n');
      vi.advanceTimersByTime(5_000);
      descriptor.code = null;
      vi.advanceTimersByTime(1_000);
      expect(descriptor.written).toBe('NOTICE 1 line of the log was lost: ENOSPC: write. The log works again\n');
      expect(output.lostLines).toBe(1);
    } finally {
      vi.useRealTimers();
    }
  });

  it('begins a new line after one that was cut off', () => {
    const descriptor = new Descriptor();
    let isFull = true;
    const output = new LogOutput(
      (bytes) => {
        if (isFull && descriptor.written === 'abc') throw Object.assign(new Error('EFBIG'), { code: 'EFBIG' });
        return descriptor.write(bytes.subarray(0, 3));
      },
      () => 'NOTICE\n',
    );
    output.write('abcdef\n');
    isFull = false;
    output.write('next\n');
    expect(descriptor.written).toBe('abc\nNOTICE\nnext\n');
  });

  it('keeps a bounded number of lines while the reader does not read, and loses later ones', () => {
    vi.useFakeTimers();
    try {
      const { descriptor, output } = open();
      const line = `${'x'.repeat(1_023)}\n`;
      descriptor.code = 'EAGAIN';
      for (let i = 0; i < 200; i++) output.write(line);
      expect(output.lostLines).toBe(200 - 128);
      descriptor.code = null;
      descriptor.takes = 1_000;
      vi.advanceTimersByTime(100);
      const [notice] = descriptor.written.split(line).slice(-1);
      expect(descriptor.written.split(line)).toHaveLength(129);
      expect(notice).toMatch(/^NOTICE 72 lines of the log were lost: its reader does not keep up/);
      expect(vi.getTimerCount()).toBe(0);
    } finally {
      vi.useRealTimers();
    }
  });

  it('writes what waits when the process ends, and gives up on a reader that hangs', () => {
    const { descriptor, output } = open();
    descriptor.code = 'EAGAIN';
    output.write('last words\n');
    output.finish();
    expect(descriptor.written).toBe('');
    descriptor.code = null;
    output.finish();
    expect(descriptor.written).toBe('last words\n');
  });
});
