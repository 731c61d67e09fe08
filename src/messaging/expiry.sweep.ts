import { Injectable, Logger, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { deletionChange } from './deletion.event.js';
import { DeletionRepository } from './deletion.repository.js';
import { ExpiryRepository, type ExpiredMessages } from './expiry.repository.js';
import { MessageChangeWriter } from './message-change-writer.js';

const sweepIntervalMs = 1_000;
const batchSize = 500;

/**
 * Deletes expired messages for everyone, each once, within about a second (contract: 5 s).
 *
 * Every node looks; the conversation's lock decides who deletes, and the others find nothing left to do. So it does
 * not matter which node took the message, or whether that one is alive. Time is the database's.
 *
 * @fires message-deleted to all participants, with `deletedBy: null`
 */
@Injectable()
export class ExpirySweep implements OnModuleInit, OnApplicationShutdown {
  private readonly logger = new Logger(ExpirySweep.name);
  private timer: NodeJS.Timeout | null = null;
  private sweeping: Promise<void> | null = null;

  constructor(
    private readonly expired: ExpiryRepository,
    private readonly deletions: DeletionRepository,
    private readonly writer: MessageChangeWriter,
  ) {}

  onModuleInit(): void {
    this.timer = setInterval(() => this.wake(), sweepIntervalMs);
  }

  async onApplicationShutdown(): Promise<void> {
    if (this.timer) clearInterval(this.timer);
    await this.sweeping;
  }

  private wake(): void {
    this.sweeping ??= this.sweep()
      .catch((error: unknown) => this.logger.debug(`put off: ${String(error)}`))
      .finally(() => (this.sweeping = null));
  }

  private async sweep(): Promise<void> {
    let isDone = false;
    while (!isDone) {
      const due = await this.expired.due(batchSize);
      const isFull = due.reduce((sum, { messageIds }) => sum + messageIds.length, 0) === batchSize;
      const failures = await this.buryAll(due);
      isDone = !isFull || failures > 0;
    }
  }

  /** A conversation that cannot be had now must not keep the others waiting. @returns how many were put off */
  private async buryAll(due: ExpiredMessages[]): Promise<number> {
    let failures = 0;
    for (const conversation of due) {
      await this.bury(conversation).catch((error: unknown) => {
        failures += 1;
        this.logger.debug(`${conversation.conversationId} put off: ${String(error)}`);
      });
    }
    return failures;
  }

  private async bury({ conversationId, messageIds }: ExpiredMessages): Promise<void> {
    await this.writer.changeMany(conversationId, async (tx, place) => {
      const buried = await this.deletions.bury(tx, place, messageIds, null);
      return buried.map((message) => deletionChange(conversationId, message, null));
    });
  }
}
