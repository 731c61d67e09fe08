import { Injectable } from '@nestjs/common';
import { ChatError } from '../common/index.js';
import { Settings } from '../config/index.js';
import { isLockTimeout } from '../database/index.js';
import { NodeBus } from '../redis/index.js';
import { Announcer } from '../realtime/index.js';
import { CommitDetours, refuseExpired } from './commit.detours.js';
import { CommitPace } from './commit.pace.js';
import { CommitQueue, type WaitingMessage } from './commit.queue.js';
import type { AppendRow, PendingMessage } from './message-draft.js';
import { MessageAppendRepository } from './message-append.repository.js';
import { MessageMetrics } from './message.metrics.js';
import { MessagePublisher } from './message.publisher.js';

// Bounds the memory of the queue, however fast the database.
const maxWaiting = 10_000;
// What a last attempt to get a lock may take (append_messages has this lock_timeout), and the
// answer's way back.
const lastAttemptMs = 400;

/**
 * The group commit (ADR-0003): messages are collected while the batch before commits, then written
 * as one statement.
 *
 * At rest a send costs one commit; under load the batch grows and the cost of a commit is shared.
 * Messages are committed in the order of the calls. One batch is in flight at a time, so one
 * process never competes with itself for a conversation's lock.
 *
 * Overload: a message that would wait for more than half of `EVENT_TIMEOUT_MS` is refused at once.
 * A conversation that somebody else has locked holds the others up for a third of a second, then it
 * waits by itself ({@link CommitDetours}).
 */
@Injectable()
export class MessageCommitter {
  private readonly queue = new CommitQueue();
  private readonly pace: CommitPace;
  private readonly detours = new CommitDetours(
    (batch) => this.write(batch, []),
    (batch, error) => this.recover(batch, error),
  );
  private isBusy = false;

  constructor(
    private readonly repository: MessageAppendRepository,
    private readonly announcer: Announcer,
    private readonly publisher: MessagePublisher,
    private readonly metrics: MessageMetrics,
    private readonly bus: NodeBus,
    private readonly settings: Settings,
  ) {
    this.pace = new CommitPace(settings.eventTimeoutMs / 2);
  }

  /**
   * Commits one message and tells the recipients.
   *
   * Resolves after commit. The order of calls is the order of `seq` within a conversation.
   * @throws ChatError UNAVAILABLE: the outcome is unknown, or too many are waiting (then nothing
   *   was stored)
   */
  append(message: PendingMessage): Promise<AppendRow> {
    return new Promise((resolve, reject) => {
      const giveUpAtMs = performance.now() + this.settings.eventTimeoutMs - lastAttemptMs;
      const refuse = (error: Error): void => {
        this.publisher.tellSender(message);
        reject(error);
      };
      this.publisher.spareSender(message);
      this.enqueue({ message, resolve, reject: refuse, giveUpAtMs });
    });
  }

  private enqueue(entry: WaitingMessage): void {
    const isAdmitted = this.queue.length < maxWaiting && this.pace.admits(this.queue.batches);
    if (!isAdmitted) return entry.reject(tooMany());
    if (this.detours.take(entry)) return;
    this.queue.push(entry);
    this.wake();
  }

  private wake(): void {
    if (this.isBusy) return;
    this.isBusy = true;
    // After this turn's packets have been read, so that what arrived together is committed
    // together.
    setImmediate(() => void this.drain());
  }

  private async drain(): Promise<void> {
    while (this.queue.length > 0) {
      refuseExpired(this.queue);
      const batch = this.queue.takeBatch();
      if (batch.length > 0) await this.commit(batch);
    }
    this.isBusy = false;
  }

  private async commit(batch: WaitingMessage[]): Promise<void> {
    this.pace.started();
    try {
      await this.write(batch, this.announcer.takeAnnounced());
    } catch (error) {
      if (isLockTimeout(error)) await this.sidestep(batch);
      else await this.recover(batch, error);
    } finally {
      this.pace.ended();
    }
  }

  private async write(batch: WaitingMessage[], announcedIds: number[]): Promise<void> {
    const startedMs = performance.now();
    const messages = batch.map((entry) => entry.message);
    const rows = await this.repository.append(this.bus.nodeId, announcedIds, messages).catch((error: unknown) => {
      this.announcer.giveBack(announcedIds);
      throw error;
    });
    this.metrics.committed(rows, performance.now() - startedMs);
    // The next batch first: Postgres works on it while this one is told. (pg hands a statement over
    // in the next tick.)
    if (this.queue.length > 0) setImmediate(() => this.tell(batch, messages, rows));
    else this.tell(batch, messages, rows);
  }

  private tell(
    batch: readonly WaitingMessage[],
    messages: readonly PendingMessage[],
    rows: readonly AppendRow[],
  ): void {
    batch.forEach((entry, i) => entry.resolve(rows[i]!));
    this.publisher.publishAppended(messages, rows);
  }

  /**
   * Somebody holds one of the conversations, or an outbox row: the others go on without waiting
   * again.
   */
  private async sidestep(batch: WaitingMessage[]): Promise<void> {
    const ids = new Set(batch.map(({ message }) => message.conversationId));
    const free = new Set(await this.repository.unlocked([...ids]).catch(() => []));
    this.detour(batch, (conversationId) => !free.has(conversationId));
    const rest = batch.filter(({ message }) => free.has(message.conversationId));
    if (rest.length === 0) return;
    await this.write(rest, []).catch(async (error: unknown) => {
      if (isLockTimeout(error)) this.detour(rest, () => true);
      else await this.recover(rest, error);
    });
  }

  /**
   * Sends a batch's messages, and those of the same conversations that wait behind it, on a detour.
   */
  private detour(batch: WaitingMessage[], isStuck: (conversationId: string) => boolean): void {
    const stuck = batch.filter(({ message }) => isStuck(message.conversationId));
    const ids = new Set(stuck.map(({ message }) => message.conversationId));
    const behind = this.queue.extract(({ message }) => ids.has(message.conversationId));
    this.detours.open([...stuck, ...behind]);
  }

  /** One message the database cannot take must not fail the others of its batch. */
  private async recover(batch: WaitingMessage[], error: unknown): Promise<void> {
    if (batch.length === 1 || (error instanceof ChatError && error.code === 'UNAVAILABLE')) {
      for (const entry of batch) entry.reject(error as Error);
      return;
    }
    for (const entry of batch) await this.write([entry], []).catch(entry.reject);
  }
}

function tooMany(): ChatError {
  return new ChatError('UNAVAILABLE', { message: 'Too many messages are waiting', retryAfterMs: 1_000 });
}
