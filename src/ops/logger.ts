import { createRequire } from 'node:module';
import type { LoggerService } from '@nestjs/common';
import { pino, type DestinationStream, type Level, type Logger } from 'pino';
import type { Settings } from '../config/index.js';
import { loggedError, redactedPaths, scrubbed } from './redaction.js';
import { standardOutput } from './standard-output.js';

// A line per module, route and event: a hundred at every start, before the few that matter.
const bootContexts = new Set<unknown>(['InstanceLoader', 'RoutesResolver', 'RouterExplorer', 'WebSocketsController']);

/**
 * Nest's logger as JSON lines on standard output: `level`, `time` (ISO 8601), `context`, `msg` and
 * what the call adds.
 *
 * In development, on a terminal, lines are set for reading where `pino-pretty` is installed.
 * Bodies, tokens, authorization headers, statement parameters and passwords in URLs never get
 * through. Writing neither blocks nor throws: see `LogOutput`.
 */
export class ParleyLogger implements LoggerService {
  /** For what writes lines of its own kind, such as the request log. */
  readonly pino: Logger;

  /** @param destination takes the lines; for tests */
  constructor(settings: Pick<Settings, 'logLevel' | 'nodeEnv'>, destination?: DestinationStream) {
    const stream = destination ?? prettyStream(settings) ?? standardOutput;
    this.pino = pino(
      {
        level: settings.logLevel,
        timestamp: pino.stdTimeFunctions.isoTime,
        base: { pid: process.pid },
        formatters: { level: (label) => ({ level: label }) },
        redact: { paths: redactedPaths, censor: '[redacted]' },
        serializers: { err: loggedError },
        hooks: { streamWrite: scrubbed },
      },
      stream,
    );
  }

  log(message: unknown, ...rest: unknown[]): void {
    this.write(bootContexts.has(rest.at(-1)) ? 'debug' : 'info', message, rest);
  }

  error(message: unknown, ...rest: unknown[]): void {
    this.write('error', message, rest);
  }

  warn(message: unknown, ...rest: unknown[]): void {
    this.write('warn', message, rest);
  }

  debug(message: unknown, ...rest: unknown[]): void {
    this.write('debug', message, rest);
  }

  verbose(message: unknown, ...rest: unknown[]): void {
    this.write('trace', message, rest);
  }

  fatal(message: unknown, ...rest: unknown[]): void {
    this.write('fatal', message, rest);
  }

  // Nest's convention: the context is the last text; before it come a second text, an error or a
  // stack.
  private write(level: Level, message: unknown, rest: unknown[]): void {
    if (!this.pino.isLevelEnabled(level)) return;
    const texts = rest.filter((part) => typeof part === 'string');
    const context = texts.pop();
    const fields = [message, ...rest].filter((part) => typeof part === 'object' && part !== null).map(fieldsOf);
    const parts = [message, ...texts].filter((part) => typeof part !== 'object');
    const named = context === undefined ? {} : { context };
    this.pino[level](Object.assign({}, named, ...fields), parts.map(String).join(' ') || errorText(message));
  }
}

function fieldsOf(part: object): object {
  return part instanceof Error ? { err: part } : part;
}

function errorText(message: unknown): string | undefined {
  return message instanceof Error ? message.message : undefined;
}

interface PinoPretty {
  prettyFactory(options: object): (line: string) => string;
}

function prettyStream(settings: Pick<Settings, 'nodeEnv'>): DestinationStream | undefined {
  if (settings.nodeEnv === 'production' || !process.stdout.isTTY) return undefined;
  try {
    const { prettyFactory } = createRequire(import.meta.url)('pino-pretty') as PinoPretty;
    const pretty = prettyFactory({ colorize: true, ignore: 'pid', translateTime: 'HH:MM:ss.l' });
    return { write: (line) => standardOutput.write(pretty(line)) };
  } catch {
    // A production install has no development dependencies; JSON will do.
    return undefined;
  }
}
