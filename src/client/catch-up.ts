import type { SyncAnswer } from '../common/wire-events.js';
import type { Message } from '../common/wire.js';
import type { ChatError } from './chat-error.js';
import type { ClientSettings } from './client.options.js';
import type { Connection } from './connection.js';
import type { HandOver } from './hand-over.js';
import type { Ledger } from './ledger.js';
import type { Sequences } from './sequences.js';
import type { Position, SyncPosition } from './sync.position.js';

// The limit of one connection. Usually one pass settles all changes that were under way.
const maxFurtherPasses = 20;

/**
 * After each connect: `sync` from the stored position until nothing is left, handed over before
 * anything the connection brings live. So no live change is applied to a message whose state before
 * it is still on its way.
 *
 * Each page's position is stored once the app has taken it: what is interrupted goes on where it
 * was.
 */
export class CatchUp {
  private last: { connection: Connection; endedAtMs: number; furtherPasses: number } | null = null;

  constructor(
    private readonly handOver: HandOver,
    private readonly ledger: Ledger,
    private readonly sequences: Sequences,
    private readonly position: SyncPosition,
    private readonly settings: Pick<ClientSettings, 'firstSync' | 'pageSize' | 'positionLagMs'>,
  ) {}

  /**
   * @returns things that had changed; null: the connection ended first, and what it brought is not
   * to be used
   */
  async run(connection: Connection): Promise<number | null> {
    const { syncToken: token, serverTime: at } = connection.session!;
    const from = this.position.current;
    this.last = null;
    if (from || this.settings.firstSync === 'everything') {
      const changes = await this.pages(connection, from);
      this.last = { connection, endedAtMs: Date.now(), furtherPasses: 0 };
      return changes;
    }
    // Nothing to catch up with: everything after this moment comes live.
    this.position.advance({ token, isMidPass: false, at });
    return 0;
  }

  /**
   * A pass leaves out messages that change while it is read: their state of before is gone, that of
   * now is told by the next. A change that comes live and is only a difference (a reaction) needs
   * that state; so soon after a pass there is another one first.
   *
   * @returns whether there was one; null: the connection ended first
   */
  async complete(connection: Connection): Promise<boolean | null> {
    const { last } = this;
    const isLater = Date.now() - (last?.endedAtMs ?? 0) > this.settings.positionLagMs;
    if (last?.connection !== connection || isLater || last.furtherPasses === maxFurtherPasses) return false;
    last.furtherPasses += 1;
    return (await this.pages(connection, this.position.current)) === null ? null : true;
  }

  private async pages(connection: Connection, from: Position | null): Promise<number | null> {
    const { serverTime } = connection.session!;
    let position = from;
    let isOfThisConnection = !from?.isMidPass;
    for (let changes = 0; ;) {
      const page = await this.read(connection, position?.token ?? null);
      if (!page) return null;
      const isTaken = await this.take(page, position?.at ?? null);
      if (!isTaken) this.position.hold();
      changes += sizeOf(page);
      // A pass describes the moment of its first page: so does its end.
      const at = page.hasMore || !isOfThisConnection ? (position?.at ?? null) : serverTime;
      position = { token: page.next, isMidPass: page.hasMore, at };
      this.position.advance(position);
      if (page.hasMore) continue;
      if (isOfThisConnection) return changes;
      isOfThisConnection = true;
    }
  }

  /** @returns null: the connection is over */
  private async read(connection: Connection, since: string | null): Promise<SyncAnswer | null> {
    const limit = this.settings.pageSize;
    try {
      return await connection.insist<SyncAnswer>('sync', { since, limit });
    } catch (error) {
      // A position of another server: all is told anew.
      if (since === null || (error as ChatError).code !== 'VALIDATION_FAILED') throw error;
      return connection.insist<SyncAnswer>('sync', { since: null, limit });
    }
  }

  private async take(page: SyncAnswer, at: string | null): Promise<boolean> {
    const { handOver } = this;
    let isWhole = true;
    const each = async <T>(items: readonly T[], hand: (item: T) => Promise<boolean>) => {
      for (const item of items) isWhole = (await hand(item)) && isWhole;
    };
    await each(page.removed, (conversationId) => handOver.removal(conversationId));
    await each(page.conversations, (conversation) => handOver.conversation('conversation-updated', conversation));
    await each([...page.messages].sort(byPlace), (message) => this.message(message, at));
    await each(page.hidden, ({ conversationId, messageId }) =>
      handOver.deletion({
        ...{ conversationId, messageId, scope: 'me' as const },
        ...{ seq: null, rev: null, deletedBy: null, deletedAt: null },
      }),
    );
    await each(page.receipts, async ({ conversationId, userId, ...cursor }) => {
      const { deliveredSeq, deliveredAt, readSeq, readAt } = cursor;
      const delivered = { conversationId, userId, deliveredSeq, deliveredAt };
      const read = { conversationId, userId, readSeq, readAt };
      const isDelivered = deliveredAt === null || (await handOver.receipt('message-delivered', delivered));
      return (readAt === null || (await handOver.receipt('messages-read', read))) && isDelivered;
    });
    return isWhole;
  }

  /**
   * Whether the app has not had the message in any state, as far as can be told. @param at it had
   * everything from before
   */
  private isNew({ id, createdAt }: Message, at: string | null): boolean {
    return !this.ledger.knows(id) && (at === null || createdAt > at);
  }

  private async message(message: Message, at: string | null): Promise<boolean> {
    const { id: messageId, conversationId, seq, rev, deletedAt } = message;
    const isNew = this.isNew(message, at);
    if (deletedAt !== null) {
      this.sequences.reach(conversationId, seq);
      const deletion = { conversationId, messageId, seq, rev, deletedAt, deletedBy: null, scope: 'everyone' as const };
      return this.handOver.deletion(deletion);
    }
    const isTaken = await this.handOver.message(isNew ? 'new-message' : 'message-edited', message);
    this.sequences.reach(conversationId, seq);
    return isTaken;
  }
}

function byPlace(a: Message, b: Message): number {
  return a.conversationId === b.conversationId ? a.seq - b.seq : a.conversationId < b.conversationId ? -1 : 1;
}

function sizeOf({ conversations, messages, receipts, hidden, removed }: SyncAnswer): number {
  return conversations.length + messages.length + receipts.length + hidden.length + removed.length;
}
