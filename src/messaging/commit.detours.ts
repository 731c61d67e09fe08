import { ChatError } from '../common/index.js';
import { isLockTimeout } from '../database/index.js';
import { CommitQueue, type WaitingMessage } from './commit.queue.js';

/** Commits one batch and tells its senders and recipients, or rejects and tells nobody. */
export type WriteBatch = (batch: WaitingMessage[]) => Promise<void>;
/** Takes a batch whose write failed for another reason than a lock. */
export type RecoverBatch = (batch: WaitingMessage[], error: unknown) => Promise<void>;

/** Connections that locked conversations may keep busy together, of those in the pool. */
const maxWritesAtOnce = 2;

/**
 * The way round conversations that another transaction holds: their messages wait here, each
 * conversation for itself, while all others go on.
 *
 * Keeps the order within a conversation: as long as it has a detour, every message of it goes this
 * way. What finds no way within its time is refused, and then was not stored.
 */
export class CommitDetours {
  private readonly queues = new Map<string, CommitQueue>();
  private readonly turns: Promise<void>[] = Array.from({ length: maxWritesAtOnce }, () => Promise.resolve());
  private nextTurn = 0;

  constructor(
    private readonly write: WriteBatch,
    private readonly recover: RecoverBatch,
  ) {}

  /** Takes a message whose conversation is on a detour. @returns whether it is */
  take(entry: WaitingMessage): boolean {
    const queue = this.queues.get(entry.message.conversationId);
    queue?.push(entry);
    return queue !== undefined;
  }

  /**
   * Sends messages on a detour, in order, and with them whatever of their conversations follows.
   */
  open(entries: readonly WaitingMessage[]): void {
    for (const entry of entries) {
      if (this.take(entry)) continue;
      const queue = new CommitQueue();
      queue.push(entry);
      this.queues.set(entry.message.conversationId, queue);
      void this.follow(entry.message.conversationId, queue);
    }
  }

  private async follow(conversationId: string, queue: CommitQueue): Promise<void> {
    const lane = this.nextTurn++ % maxWritesAtOnce;
    while (queue.length > 0) {
      const turn = this.turns[lane]!.then(() => this.attempt(queue));
      this.turns[lane] = turn;
      await turn;
    }
    this.queues.delete(conversationId);
  }

  /** Waits for the lock as long as the statement does; never rejects. */
  private async attempt(queue: CommitQueue): Promise<void> {
    refuseExpired(queue);
    const batch = queue.takeBatch();
    if (batch.length === 0) return;
    try {
      await this.write(batch);
    } catch (error) {
      if (isLockTimeout(error)) queue.putBack(batch);
      else await this.recover(batch, error);
    }
  }
}

/** Answers those for whom it is too late; what they sent was not stored. */
export function refuseExpired(queue: CommitQueue): void {
  const nowMs = performance.now();
  for (const { reject } of queue.extract((entry) => entry.giveUpAtMs <= nowMs)) {
    reject(new ChatError('UNAVAILABLE', { message: 'The message waited too long', retryAfterMs: 1_000 }));
  }
}
