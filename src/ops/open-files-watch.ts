import { open } from 'node:fs/promises';
import { devNull } from 'node:os';
import { Injectable, Logger, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { Metrics } from '../metrics/index.js';
import { openFilesAdvice, openFilesLimit } from '../open-files/index.js';

const intervalMs = 2_000;
const reportEveryMs = 60_000;
const exhaustedCodes: readonly unknown[] = ['EMFILE', 'ENFILE'];

/**
 * Logs when this process can open no more files. Node then closes each new connection without a
 * message; open connections continue. The check opens one file every two seconds.
 */
@Injectable()
export class OpenFilesWatch implements OnModuleInit, OnApplicationShutdown {
  private readonly logger = new Logger('OpenFiles');
  private timer: NodeJS.Timeout | undefined;
  private isExhausted = false;
  private reportedMs = -Infinity;

  constructor(private readonly metrics: Metrics) {}

  onModuleInit(): void {
    this.metrics.sample('parley_open_files_exhausted', () => [{ value: Number(this.isExhausted) }]);
    this.timer = setInterval(() => void this.look(), intervalMs).unref();
  }

  onApplicationShutdown(): void {
    clearInterval(this.timer);
  }

  private async look(): Promise<void> {
    try {
      const file = await open(devNull);
      await file.close();
      this.note(false);
    } catch (error) {
      this.note(exhaustedCodes.includes((error as NodeJS.ErrnoException).code));
    }
  }

  private note(isExhausted: boolean): void {
    const wasExhausted = this.isExhausted;
    this.isExhausted = isExhausted;
    if (isExhausted && performance.now() - this.reportedMs > reportEveryMs) {
      this.reportedMs = performance.now();
      this.logger.error(
        `The limit of open files (${openFilesLimit()}) is reached: new connections are closed at once, those that are open go on. ` +
          `If this is not an attack, ${openFilesAdvice}`,
      );
    }
    if (wasExhausted && !isExhausted) this.logger.log('Files can be opened again; new connections are accepted');
  }
}
