import { constants, openSync, writeSync } from 'node:fs';
import { LogOutput } from './log-output.js';

/**
 * Standard output of this process. Its report of lost lines is one JSON line, like the logger's.
 */
export const standardOutput = outputTo(1, (msg) => {
  const line = { level: 'warn', time: new Date().toISOString(), pid: process.pid, context: 'Log', msg };
  return `${JSON.stringify(line)}\n`;
});

/** Standard error of this process. */
export const standardError = outputTo(2, (text) => `${text}\n`);

/**
 * Keeps the process alive when code that is not ours writes to a standard stream that has failed.
 * Call it once, early.
 */
export function guardStandardStreams(): void {
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);
}

function outputTo(descriptor: 1 | 2, noticeOf: (text: string) => string): LogOutput {
  let opened: number | undefined;
  const open = (): number => {
    process.once('exit', () => output.finish());
    return nonBlocking(descriptor);
  };
  const output = new LogOutput((bytes) => writeSync((opened ??= open()), bytes), noticeOf);
  return output;
}

/**
 * Takes care that a write to a pipe, a socket or a terminal answers EAGAIN instead of waiting for
 * the reader.
 *
 * Node makes pipes and sockets non-blocking when it makes its stream. It keeps terminals blocking,
 * so Ctrl-S would stop the server: a terminal is opened again, which leaves the flags of the
 * shell's own descriptor alone. Only Linux can.
 */
function nonBlocking(descriptor: 1 | 2): number {
  const stream = descriptor === 1 ? process.stdout : process.stderr;
  if (!stream.isTTY) return descriptor;
  try {
    return openSync(`/proc/self/fd/${descriptor}`, constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
  } catch {
    return descriptor;
  }
}
