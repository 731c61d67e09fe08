import type { parseArgs, ParseArgsConfig } from 'node:util';

export function giveUp(line: string, code?: 1 | 2): never;
export function readCommandLine<T extends ParseArgsConfig>(
  usage: string,
  config: T,
  args?: string[],
): ReturnType<typeof parseArgs<T>>;
export function numberOf(values: Readonly<Record<string, unknown>>, name: string): number;
