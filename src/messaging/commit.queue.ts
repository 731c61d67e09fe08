import type { AppendRow, PendingMessage } from './message-draft.js';

/** A message that waits to be committed, and whom to tell. */
export interface WaitingMessage {
  message: PendingMessage;
  resolve: (row: AppendRow) => void;
  reject: (error: Error) => void;
  /** After this nobody waits for the answer any more; of `performance.now()`. */
  giveUpAtMs: number;
}

/** What one statement takes at most. */
export const maxBatchMessages = 1_024;
export const maxBatchBytes = 2_097_152;

/** Messages in the order in which they are to be committed. */
export class CommitQueue {
  private entries: WaitingMessage[] = [];
  private contentBytes = 0;

  get length(): number {
    return this.entries.length;
  }

  /** How many statements it will take to commit what waits, and one more. */
  get batches(): number {
    const byCount = Math.ceil((this.entries.length + 1) / maxBatchMessages);
    return Math.max(byCount, Math.ceil(this.contentBytes / maxBatchBytes));
  }

  push(entry: WaitingMessage): void {
    this.entries.push(entry);
    this.contentBytes += entry.message.contentJson.length;
  }

  /** Puts a batch back to the front. */
  putBack(batch: readonly WaitingMessage[]): void {
    this.replace([...batch, ...this.entries]);
  }

  /** Takes the next batch. A repeat of a clientMessageId waits for the batch after. */
  takeBatch(): WaitingMessage[] {
    const batch: WaitingMessage[] = [];
    const later: WaitingMessage[] = [];
    const keys = new Set<string>();
    let bytes = 0;
    let taken = 0;
    for (const entry of this.entries) {
      if (batch.length >= maxBatchMessages || bytes >= maxBatchBytes) break;
      taken += 1;
      // The same clientMessageId twice in one statement would not see itself; the second is a
      // duplicate anyway.
      if (isRepeat(entry.message, keys)) later.push(entry);
      else batch.push(entry);
      bytes += entry.message.contentJson.length;
    }
    this.replace([...later, ...this.entries.slice(taken)]);
    return batch;
  }

  /** Takes out everything that matches, in order. */
  extract(matches: (entry: WaitingMessage) => boolean): WaitingMessage[] {
    const found = this.entries.filter(matches);
    if (found.length > 0) this.replace(this.entries.filter((entry) => !matches(entry)));
    return found;
  }

  private replace(entries: WaitingMessage[]): void {
    this.entries = entries;
    this.contentBytes = entries.reduce((sum, { message }) => sum + message.contentJson.length, 0);
  }
}

function isRepeat(message: PendingMessage, keys: Set<string>): boolean {
  if (message.clientMessageId === null) return false;
  const key = `${message.conversationId} ${message.senderId} ${message.clientMessageId}`;
  if (keys.has(key)) return true;
  keys.add(key);
  return false;
}
