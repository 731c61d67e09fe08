import { Injectable } from '@nestjs/common';
import { ChatError } from '../common/index.js';
import { NodeBus } from '../redis/index.js';
import { Announcer } from '../realtime/index.js';
import type { AppendRow, PendingMessage } from './message-draft.js';
import { MessageAppendRepository } from './message-append.repository.js';
import { MessageMetrics } from './message.metrics.js';
import { MessagePublisher } from './message.publisher.js';

interface Waiting {
  message: PendingMessage;
  resolve: (row: AppendRow) => void;
  reject: (error: unknown) => void;
}

const maxBatchMessages = 256;
const maxBatchBytes = 2_097_152;
// At this length even a fast database needs seconds: better to say so than to let everybody time out.
const maxWaiting = 10_000;

/**
 * The group commit (ADR-0003): messages are collected while the batch before commits, then written as one statement.
 *
 * At rest a send costs one commit; under load the batch grows and the cost of a commit is shared. Messages are
 * committed in the order of the calls. One batch is in flight at a time, so one process never competes with itself for
 * a conversation's lock.
 */
@Injectable()
export class MessageCommitter {
  private waiting: Waiting[] = [];
  private isBusy = false;

  constructor(
    private readonly repository: MessageAppendRepository,
    private readonly announcer: Announcer,
    private readonly publisher: MessagePublisher,
    private readonly metrics: MessageMetrics,
    private readonly bus: NodeBus,
  ) {}

  /**
   * Commits one message and tells the recipients.
   *
   * Resolves after commit. The order of calls is the order of `seq` within a conversation.
   * @throws ChatError UNAVAILABLE: the outcome is unknown, or too many are waiting (then nothing was stored)
   */
  append(message: PendingMessage): Promise<AppendRow> {
    if (this.waiting.length >= maxWaiting) {
      return Promise.reject(
        new ChatError('UNAVAILABLE', { message: 'Too many messages are waiting', retryAfterMs: 1_000 }),
      );
    }
    return new Promise((resolve, reject) => {
      this.waiting.push({ message, resolve, reject });
      this.wake();
    });
  }

  private wake(): void {
    if (this.isBusy) return;
    this.isBusy = true;
    // After this turn's packets have been read, so that what arrived together is committed together.
    setImmediate(() => void this.drain());
  }

  private async drain(): Promise<void> {
    while (this.waiting.length > 0) await this.commit(this.takeBatch());
    this.isBusy = false;
  }

  private takeBatch(): Waiting[] {
    const batch: Waiting[] = [];
    const later: Waiting[] = [];
    const keys = new Set<string>();
    let bytes = 0;
    let taken = 0;
    for (const entry of this.waiting) {
      if (batch.length >= maxBatchMessages || bytes >= maxBatchBytes) break;
      taken += 1;
      // The same clientMessageId twice in one statement would not see itself; the second is a duplicate anyway.
      if (isRepeat(entry.message, keys)) later.push(entry);
      else batch.push(entry);
      bytes += entry.message.contentJson.length;
    }
    this.waiting = [...later, ...this.waiting.slice(taken)];
    return batch;
  }

  private async commit(batch: Waiting[]): Promise<void> {
    const announcedIds = this.announcer.takeAnnounced();
    const startedMs = performance.now();
    try {
      const messages = batch.map((entry) => entry.message);
      const rows = await this.repository.append(this.bus.nodeId, announcedIds, messages);
      this.metrics.committed(rows, performance.now() - startedMs);
      batch.forEach((entry, i) => entry.resolve(rows[i]!));
      this.publisher.publishAppended(messages, rows);
    } catch (error) {
      this.announcer.giveBack(announcedIds);
      await this.recover(batch, error);
    }
  }

  /** One message the database cannot take must not fail the others of its batch. */
  private async recover(batch: Waiting[], error: unknown): Promise<void> {
    if (batch.length === 1 || (error instanceof ChatError && error.code === 'UNAVAILABLE')) {
      for (const entry of batch) entry.reject(error);
      return;
    }
    for (const entry of batch) await this.commit([entry]);
  }
}

function isRepeat(message: PendingMessage, keys: Set<string>): boolean {
  if (message.clientMessageId === null) return false;
  const key = `${message.conversationId} ${message.senderId} ${message.clientMessageId}`;
  if (keys.has(key)) return true;
  keys.add(key);
  return false;
}
