import { Injectable, Logger, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { deletionChange } from './deletion.event.js';
import { DeletionRepository } from './deletion.repository.js';
import { ExpiryRepository, type ExpiredMessages } from './expiry.repository.js';
import { MessageChangeWriter } from './message-change-writer.js';

const sweepIntervalMs = 1_000;
const batchSize = 500;
/** Few enough that who sends to one of them hardly waits. */
const conversationsAtOnce = 100;

/**
 * Deletes expired messages for everyone, each once, within about a second (contract: 5 s).
 *
 * Every node looks, and the conversation's lock decides who deletes: what another node, or a
 * sender, holds just now is left alone, and waited for at the second look. So nodes share what
 * expires at once, it does not matter which node took the message, or whether that one is alive,
 * and a conversation that cannot be had keeps no other waiting. Time is the database's.
 *
 * @fires message-deleted to all participants, with `deletedBy: null`
 */
@Injectable()
export class ExpirySweep implements OnModuleInit, OnApplicationShutdown {
  private readonly logger = new Logger(ExpirySweep.name);
  private timer: NodeJS.Timeout | null = null;
  private sweeping: Promise<void> | null = null;
  /** Conversations that others held at the last look. */
  private left = new Set<string>();

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
    let mayBeMore = true;
    while (mayBeMore) {
      const due = await this.expired.due(batchSize);
      const isFull = due.reduce((sum, { messageIds }) => sum + messageIds.length, 0) === batchSize;
      mayBeMore = (await this.buryAll(due)) && isFull;
    }
  }

  /** @returns whether any was buried */
  private async buryAll(due: ExpiredMessages[]): Promise<boolean> {
    let count = 0;
    const left: ExpiredMessages[] = [];
    for (const some of inChunks(due)) {
      const { had, buried } = await this.bury(some, false);
      count += buried;
      left.push(...some.filter(({ conversationId }) => !had.has(conversationId)));
    }
    const again = left.filter(({ conversationId }) => this.left.has(conversationId));
    this.left = new Set(left.map(({ conversationId }) => conversationId));
    for (const one of again) count += (await this.bury([one], true)).buried;
    return count > 0;
  }

  /** @returns which conversations were had, and how many messages were buried */
  private async bury(
    due: readonly ExpiredMessages[],
    isPatient: boolean,
  ): Promise<{ had: Set<string>; buried: number }> {
    const conversationIds = due.map(({ conversationId }) => conversationId);
    const messageIds = due.flatMap((one) => one.messageIds);
    const had = new Set<string>();
    let buried = 0;
    try {
      await this.writer.changeMany(conversationIds, isPatient, async (tx, places) => {
        const messages = await this.deletions.bury(tx, places, messageIds, null);
        buried = messages.length;
        return places.map((place) => {
          had.add(place.conversationId);
          const here = messages.filter(({ conversationId }) => conversationId === place.conversationId);
          return { place, changes: here.map((message) => deletionChange(place.conversationId, message, null)) };
        });
      });
      return { had, buried };
    } catch (error) {
      this.logger.debug(`${conversationIds.length} conversations put off: ${String(error)}`);
      // One of them may be the cause: each is tried alone at the second look.
      return { had: new Set(), buried: 0 };
    }
  }
}

/** Beginning anywhere, so that nodes that look at the same time hardly meet. */
function inChunks(due: readonly ExpiredMessages[]): ExpiredMessages[][] {
  const start = Math.floor(Math.random() * due.length);
  const rotated = [...due.slice(start), ...due.slice(0, start)];
  const count = Math.ceil(due.length / conversationsAtOnce);
  return Array.from({ length: count }, (_, i) => rotated.slice(i * conversationsAtOnce, (i + 1) * conversationsAtOnce));
}
