import { Injectable, Logger, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { SearchRepository } from './search.repository.js';

const intervalMs = 2_000;

/**
 * Sorts newly sent words into `messages_search`, between sends instead of within them.
 *
 * Postgres collects them in a list, which every search reads as well, and empties it when it is
 * full: the send that finds it full would wait for that. Every node looks, one at a time works.
 * Where the role may not (the index belongs to another), Postgres goes on by itself.
 */
@Injectable()
export class SearchIndexKeeper implements OnModuleInit, OnApplicationShutdown {
  private readonly logger = new Logger(SearchIndexKeeper.name);
  private timer: NodeJS.Timeout | null = null;
  private working: Promise<void> | null = null;

  constructor(private readonly search: SearchRepository) {}

  onModuleInit(): void {
    this.timer = setInterval(() => this.wake(), intervalMs);
  }

  async onApplicationShutdown(): Promise<void> {
    if (this.timer) clearInterval(this.timer);
    await this.working;
  }

  private wake(): void {
    this.working ??= this.search
      .sortIn()
      .catch((error: unknown) => this.logger.debug(`put off: ${String(error)}`))
      .finally(() => (this.working = null));
  }
}
