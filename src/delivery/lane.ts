import type { LiveBatch, LiveChange } from '../realtime/index.js';

/** A live batch that waits for a backlog. */
export interface WithheldBatch {
  batch: LiveBatch;
  joinedSeq: number;
}

/** Something written that awaits its proof. */
export interface UnprovenWrite {
  /** Of the transport's pings, when it was written. */
  generation: number;
  /** All messages up to this have been written; 0: says nothing. */
  seq: number;
  /** All changes up to this have been written; 0: says nothing. */
  rev: number;
  /** The highest message of others among them; 0: none. */
  receivedSeq: number;
}

// Live changes kept while a backlog goes first, to spare it another look at Postgres; what is more
// is read again.
const maxWithheld = 64;

/**
 * What one connection is sent of one conversation: every change after the next, or nothing.
 *
 * Open: the lane has written all changes of (start, sentRev] and takes only the one that follows.
 * Closed: live changes are withheld until a backlog has been written up to a rev; then the lane
 * opens there, and withheld changes that follow are written.
 */
export class Lane {
  isOpen = false;
  /** Grows whenever the lane closes: a proof of an earlier run says nothing of this one. */
  run = 0;
  sentRev = 0;
  /**
   * The first rev of the run, which holds only for a device that has all before it; null: known to
   * continue the cursor.
   */
  fromRev: number | null = null;
  unproven: UnprovenWrite[] = [];
  private withheld: WithheldBatch[] = [];
  private heardUpTo = 0;

  constructor(readonly conversationId: string) {}

  /** Opens for the first change seen of a conversation in which the device lacked nothing. */
  startAt(rev: number): void {
    this.isOpen = true;
    this.fromRev = rev + 1;
    this.sentRev = rev;
  }

  /**
   * Closes: something is missing before what came. The backlog proves anew what is not proven yet.
   */
  close(): void {
    this.isOpen = false;
    this.run += 1;
    this.fromRev = null;
    this.unproven = [];
  }

  /** Whether the batch continues what was written, repeats it, or leaves a hole. */
  judge({ above, upTo }: LiveBatch): 'next' | 'known' | 'hole' {
    if (above > this.sentRev) return 'hole';
    if (upTo > this.sentRev) return 'next';
    return this.fromRev !== null && upTo < this.fromRev ? 'hole' : 'known';
  }

  withhold(batch: LiveBatch, joinedSeq: number): void {
    this.heardUpTo = Math.max(this.heardUpTo, batch.upTo);
    this.withheld.push({ batch, joinedSeq });
    if (this.withheld.length > maxWithheld) this.withheld.shift();
  }

  /**
   * Whether all that was heard of above `rev` is withheld here: then nothing has to be read to go
   * on from there.
   */
  continuesAt(rev: number): boolean {
    const reached = reachOf(this.following(rev), rev);
    return reached > rev && reached >= this.heardUpTo;
  }

  /**
   * Opens after a backlog that was written up to `rev`.
   * @returns the withheld batches that follow, to be written now; null: some are missing, so it
   *   stays closed
   */
  openAt(rev: number): WithheldBatch[] | null {
    const following = this.following(rev);
    this.sentRev = rev;
    if (reachOf(following, rev) < this.heardUpTo) return null;
    this.withheld = [];
    this.isOpen = true;
    return following;
  }

  private following(rev: number): WithheldBatch[] {
    return this.withheld.filter(({ batch }) => batch.upTo > rev).sort((a, b) => a.batch.upTo - b.batch.upTo);
  }

  /** Records a write. Writes between the same two pings are proven together. */
  note(write: UnprovenWrite): void {
    const last = this.unproven.at(-1);
    if (last?.generation !== write.generation) {
      this.unproven.push({ ...write, receivedSeq: Math.max(write.receivedSeq, last?.receivedSeq ?? 0) });
      return;
    }
    last.seq = Math.max(last.seq, write.seq);
    last.rev = Math.max(last.rev, write.rev);
    last.receivedSeq = Math.max(last.receivedSeq, write.receivedSeq);
  }

  /** Takes out what is proven. @returns it as one, or null */
  takeProven(isProven: (generation: number) => boolean): UnprovenWrite | null {
    const count = this.unproven.filter(({ generation }) => isProven(generation)).length;
    const proven = this.unproven.splice(0, count);
    const last = proven.at(-1);
    if (!last) return null;
    return {
      generation: last.generation,
      seq: Math.max(...proven.map(({ seq }) => seq)),
      rev: Math.max(...proven.map(({ rev }) => rev)),
      receivedSeq: Math.max(...proven.map(({ receivedSeq }) => receivedSeq)),
    };
  }
}

/** How far batches go on from `rev` without a hole. */
function reachOf(batches: readonly WithheldBatch[], rev: number): number {
  return batches.reduce(
    (reached, { batch }) => (batch.above <= reached ? Math.max(reached, batch.upTo) : reached),
    rev,
  );
}

/** What a batch means for the connection that gets it. */
export function writeOf(
  batch: LiveBatch,
  admitted: readonly LiveChange[],
  connectionId: string,
  generation: number,
): UnprovenWrite {
  const write = { generation, seq: 0, rev: batch.upTo, receivedSeq: 0 };
  for (const { seq, event, exceptConnectionId } of admitted) {
    write.seq = Math.max(write.seq, seq);
    const isReceived = event === 'new-message' && exceptConnectionId !== connectionId;
    if (isReceived) write.receivedSeq = Math.max(write.receivedSeq, seq);
  }
  return write;
}
