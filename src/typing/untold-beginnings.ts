import { LRUCache } from 'lru-cache';

const maxBeginnings = 10_000;

/**
 * From whom this node kept a beginning of typing: they are told no end of it either, since that
 * would tell them of it.
 *
 * Bounded: it knows the 10,000 latest beginnings that were hidden from a viewer. It assumes that
 * all viewers received the others, and those that another node sent.
 */
export class UntoldBeginnings {
  private readonly viewers = new LRUCache<string, Set<string>>({ max: maxBeginnings });

  /** Typing began, told to all but these viewers. */
  begin(conversationId: string, typistId: string, hiddenFrom: ReadonlySet<string>): void {
    if (hiddenFrom.size > 0) this.viewers.set(keyOf(conversationId, typistId), new Set(hiddenFrom));
    else this.forget(conversationId, typistId);
  }

  /** One viewer received the end and will not receive another one. */
  end(conversationId: string, typistId: string, viewerId: string): void {
    const viewerIds = this.viewers.get(keyOf(conversationId, typistId)) ?? new Set();
    this.viewers.set(keyOf(conversationId, typistId), viewerIds.add(viewerId));
  }

  /** Typing ended, for everybody. */
  forget(conversationId: string, typistId: string): void {
    this.viewers.delete(keyOf(conversationId, typistId));
  }

  has(conversationId: string, typistId: string, viewerId: string): boolean {
    return this.viewers.get(keyOf(conversationId, typistId))?.has(viewerId) ?? false;
  }
}

function keyOf(conversationId: string, typistId: string): string {
  return `${conversationId} ${typistId}`;
}
