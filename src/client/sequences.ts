import { RecentMap } from './recent.map.js';

interface Sequence {
  /** Everything up to this is here, from where this client began. */
  upTo: number;
  /** Here already, though not everything before it. */
  ahead: Set<number>;
}

const maxConversations = 10_000;

/** How far each conversation has come without a gap in `seq`. */
export class Sequences {
  private readonly byConversation = new RecentMap<string, Sequence>(maxConversations);

  /** @returns undefined: nothing of this conversation has come yet */
  upTo(conversationId: string): number | undefined {
    return this.byConversation.get(conversationId)?.upTo;
  }

  /**
   * Whether all messages between what is here and `seq` are missing; the first message of a
   * conversation closes no gap.
   */
  isGapBefore(conversationId: string, seq: number): boolean {
    const upTo = this.upTo(conversationId);
    return upTo !== undefined && seq > upTo + 1;
  }

  /** One message is here, by whatever way. @param isBeginning whether counting may begin with it */
  note(conversationId: string, seq: number, isBeginning: boolean): void {
    const sequence = this.byConversation.get(conversationId);
    if (!sequence && !isBeginning) return;
    const { upTo, ahead } = sequence ?? { upTo: seq - 1, ahead: new Set<number>() };
    if (seq > upTo) ahead.add(seq);
    this.settle(conversationId, { upTo, ahead });
  }

  /** Everything up to `seq` is here, or never will be: hidden, expired. */
  reach(conversationId: string, seq: number): void {
    const { upTo, ahead } = this.byConversation.get(conversationId) ?? { upTo: 0, ahead: new Set<number>() };
    this.settle(conversationId, { upTo: Math.max(upTo, seq), ahead });
  }

  private settle(conversationId: string, { upTo, ahead }: Sequence): void {
    let reached = upTo;
    while (ahead.delete(reached + 1)) reached += 1;
    for (const seq of ahead) if (seq <= reached) ahead.delete(seq);
    this.byConversation.set(conversationId, { upTo: reached, ahead });
  }
}
