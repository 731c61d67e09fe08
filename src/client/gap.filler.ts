import type { GetMessagesAnswer } from '../common/wire-events.js';
import type { Connection } from './connection.js';
import type { HandOver } from './hand-over.js';
import type { Sequences } from './sequences.js';

/**
 * Reads what is missing between the last message of a conversation and one that has come.
 *
 * `seq` has no gaps; what a client sees may have: its own messages whose answer has not come yet,
 * those deleted for this user, those that have expired. So what cannot be read is no loss.
 */
export class GapFiller {
  constructor(
    private readonly handOver: HandOver,
    private readonly sequences: Sequences,
    private readonly pageSize: number,
  ) {}

  /**
   * @returns false: the connection ended first, or a handler failed; what follows is not to be
   * believed whole
   */
  async fill(connection: Connection, conversationId: string, beforeSeq: number): Promise<boolean> {
    let isWhole = true;
    for (let afterSeq = this.sequences.upTo(conversationId)!; afterSeq < beforeSeq - 1;) {
      const limit = Math.min(this.pageSize, beforeSeq - 1 - afterSeq);
      const page = await this.read(connection, { conversationId, afterSeq, limit });
      if (!page) return false;
      const missing = page.messages.filter(({ seq }) => seq < beforeSeq);
      for (const message of missing) isWhole = (await this.handOver.message('new-message', message)) && isWhole;
      afterSeq = missing.at(-1)?.seq ?? beforeSeq;
      if (!page.hasMore) break;
    }
    if (isWhole) this.sequences.reach(conversationId, beforeSeq - 1);
    return isWhole;
  }

  /** @returns null: the connection is over */
  private async read(connection: Connection, question: object): Promise<GetMessagesAnswer | null> {
    try {
      const page = await connection.insist<GetMessagesAnswer>('get-messages', question);
      if (!page) connection.isBroken = true;
      return page;
    } catch {
      // The user has left the conversation: there is nothing more to read.
      return { messages: [], hasMore: false };
    }
  }
}
