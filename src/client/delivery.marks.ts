import type { Connection } from './connection.js';

interface Mark {
  seq: number;
  rev: number;
}

// Many messages, one packet; the sender sees "delivered" this much later.
const collectMs = 100;

/**
 * Acknowledges to the server what the app's handlers have processed (`ackMode: 'manual'`): one
 * cumulative `mark-delivered` per conversation. If that fails, the next connection does it; the
 * server sends those messages again there.
 */
export class DeliveryMarks {
  private connection: Connection | null = null;
  private marks = new Map<string, Mark>();
  private readonly blocked = new Set<string>();
  private readonly reached = new Map<string, number>();
  private timer: ReturnType<typeof setTimeout> | undefined;

  begin(connection: Connection): void {
    this.end();
    this.connection = connection;
  }

  end(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.connection = null;
    this.marks.clear();
    this.blocked.clear();
    this.reached.clear();
  }

  /**
   * The app has taken what the server pushed on this connection; in order, so that everything
   * before it was taken, too.
   *
   * @param seq of a new message; null: the change of one
   */
  note(connection: Connection, conversationId: string, seq: number | null, rev: number): void {
    if (connection !== this.connection || this.blocked.has(conversationId)) return;
    const mark = this.marks.get(conversationId);
    const reached = Math.max(seq ?? 0, this.reached.get(conversationId) ?? 0);
    this.reached.set(conversationId, reached);
    this.marks.set(conversationId, { seq: reached, rev: Math.max(rev, mark?.rev ?? 0) });
    this.timer ??= setTimeout(() => void this.flush(), collectMs);
  }

  /** The app has not taken something: nothing after it may be claimed. */
  block(conversationId: string): void {
    this.blocked.add(conversationId);
  }

  /** Tells now what has been collected. */
  async flush(): Promise<void> {
    clearTimeout(this.timer);
    const { connection, marks } = this;
    this.marks = new Map();
    if (!connection) return;
    const telling = [...marks].map(([conversationId, mark]) => tell(connection, conversationId, mark));
    await Promise.all(telling);
    if (connection !== this.connection) return;
    this.timer = this.marks.size > 0 ? setTimeout(() => void this.flush(), collectMs) : undefined;
  }
}

async function tell(connection: Connection, conversationId: string, { seq, rev }: Mark): Promise<void> {
  // Refused for good: the user has left the conversation.
  await connection.insist('mark-delivered', { conversationId, seq, rev }).catch(() => undefined);
}
