import { Injectable, Logger, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { DeletedConversationsRepository } from './deleted-conversations.repository.js';

const sweepIntervalMs = 1_000;
const batchSize = 1_000;

/**
 * Removes what deleted conversations held: messages with their revisions, reactions and hidden
 * marks, a thousand at a time, so that no statement takes long.
 *
 * Nobody can see them any more from the deletion on: there are no participants. Every node looks,
 * and takes what no other node holds.
 */
@Injectable()
export class DeletedConversations implements OnModuleInit, OnApplicationShutdown {
  private readonly logger = new Logger(DeletedConversations.name);
  private timer: NodeJS.Timeout | null = null;
  private sweeping: Promise<void> | null = null;
  private isStopping = false;

  constructor(private readonly repository: DeletedConversationsRepository) {}

  onModuleInit(): void {
    this.timer = setInterval(() => this.wake(), sweepIntervalMs);
  }

  async onApplicationShutdown(): Promise<void> {
    this.isStopping = true;
    if (this.timer) clearInterval(this.timer);
    await this.sweeping;
  }

  private wake(): void {
    this.sweeping ??= this.sweep()
      .catch((error: unknown) => this.logger.debug(`put off: ${String(error)}`))
      .finally(() => (this.sweeping = null));
  }

  private async sweep(): Promise<void> {
    while (!this.isStopping && (await this.repository.removeSome(batchSize)));
  }
}
