/** Writes some of the bytes and says how many, or throws; never waits. */
type WriteSome = (bytes: Uint8Array) => number;

interface WaitingText {
  bytes: Buffer;
  /** Lines that are counted as lost if this cannot be written. */
  lines: number;
  /** Lines lost before, which this text reports. */
  reported: number;
}

// A pipe holds 64 KiB by itself; a reader that leaves more than this unread does not keep up.
const maxWaitingBytes = 131_072;
const retryBusyMs = 50;
const retryBrokenMs = 1_000;
const exitPatienceMs = 200;

const lineFeed = 0x0a;
const busyCodes: readonly (string | undefined)[] = ['EAGAIN', 'EWOULDBLOCK', 'EBUSY', 'EINTR'];

/**
 * Standard output or standard error that can neither end nor block the process.
 *
 * A line that cannot be written (full disk, limit of a file's size, reader gone, terminal closed)
 * is lost, counted and never thrown. While the reader of a pipe or a terminal does not read, up to
 * 128 KiB wait in memory; further lines are lost. When writing works again, one line says how many
 * were lost and why. A regular file is written at once.
 *
 * @see test/e2e/log-output.e2e.ts
 */
export class LogOutput {
  private readonly waiting: WaitingText[] = [];
  private readonly listeners = new Set<(lines: number) => void>();
  private waitingBytes = 0;
  private unreported = 0;
  private reason = '';
  /** Whether what was written last is the beginning of a line. */
  private isMidLine = false;
  /** Whether some of the first waiting text is written already. */
  private isHeadStarted = false;
  private timer: NodeJS.Timeout | undefined;
  private lost = 0;

  /** @param noticeOf makes the line that reports lost lines; it ends with a line feed */
  constructor(
    private readonly writeSome: WriteSome,
    private readonly noticeOf: (text: string) => string,
  ) {}

  /** Lines lost since the start. */
  get lostLines(): number {
    return this.lost;
  }

  /** @returns ends the calls */
  onLost(listener: (lines: number) => void): () => void {
    this.listeners.add(listener);
    return () => void this.listeners.delete(listener);
  }

  /** @param text whole lines, each with its line feed */
  write(text: string): void {
    const item = this.withNotice(text, 1);
    if (this.waiting.length > 0 && this.waitingBytes + item.bytes.length > maxWaitingBytes) {
      this.lose(item, 'its reader does not keep up');
    } else this.enqueue(item);
    this.flush();
  }

  /** Waits a moment for a slow reader, at the very end of the process. */
  finish(): void {
    const deadline = performance.now() + exitPatienceMs;
    const sleeper = new Int32Array(new SharedArrayBuffer(4));
    for (this.flush(); this.waiting.length > 0 && performance.now() < deadline; this.flush()) {
      Atomics.wait(sleeper, 0, 0, 5);
    }
  }

  private withNotice(text: string, lines: number): WaitingText {
    const reported = this.unreported;
    this.unreported = 0;
    const count = reported === 1 ? '1 line of the log was' : `${reported} lines of the log were`;
    const notice = reported === 0 ? '' : this.noticeOf(`${count} lost: ${this.reason}. The log works again`);
    return { bytes: Buffer.from(notice + text), lines, reported };
  }

  private enqueue(item: WaitingText): void {
    this.waiting.push(item);
    this.waitingBytes += item.bytes.length;
  }

  private flush(): void {
    let hasWritten = false;
    for (let item = this.waiting[0]; item; item = this.waiting[0]) {
      try {
        this.writeItem(item);
        hasWritten = true;
      } catch (error) {
        const { code, message } = error as NodeJS.ErrnoException;
        if (busyCodes.includes(code)) return this.retryIn(retryBusyMs);
        this.lose(this.take(), message);
      }
    }
    if (this.unreported === 0) return;
    if (hasWritten) this.reportLoss();
    else this.retryIn(retryBrokenMs);
  }

  private writeItem(item: WaitingText): void {
    if (this.isMidLine && item.bytes.length > 0 && !this.isHeadStarted) this.startNewLine(item);
    while (item.bytes.length > 0) {
      const written = this.writeSome(item.bytes);
      this.isMidLine = written > 0 ? item.bytes[written - 1] !== lineFeed : this.isMidLine;
      this.isHeadStarted ||= written > 0;
      this.waitingBytes -= written;
      item.bytes = item.bytes.subarray(written);
    }
    this.take();
  }

  // The text before this one was cut in the middle of a line and given up.
  private startNewLine(item: WaitingText): void {
    item.bytes = Buffer.concat([Buffer.of(lineFeed), item.bytes]);
    this.waitingBytes += 1;
    this.isMidLine = false;
  }

  private take(): WaitingText {
    const item = this.waiting.shift()!;
    this.waitingBytes -= item.bytes.length;
    this.isHeadStarted = false;
    return item;
  }

  private lose({ lines, reported }: WaitingText, reason: string): void {
    this.reason = reason;
    this.unreported += lines + reported;
    this.lost += lines;
    if (lines > 0) for (const listener of this.listeners) listener(lines);
  }

  private reportLoss(): void {
    this.enqueue(this.withNotice('', 0));
    this.flush();
  }

  private retryIn(delayMs: number): void {
    this.timer ??= setTimeout(() => {
      this.timer = undefined;
      if (this.waiting.length === 0 && this.unreported > 0) this.enqueue(this.withNotice('', 0));
      this.flush();
    }, delayMs).unref();
  }
}
