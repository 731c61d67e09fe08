import { LRUCache } from 'lru-cache';

const maxBeginnings = 10_000;

/**
 * From whom this node kept a beginning of typing: they are told no end of it either, since that
 * would tell them of it.
 *
 * Bounded: of the 10,000 latest beginnings that somebody was kept from. Of others, and of those
 * another node told, everybody counts as told.
 */
export class UntoldBeginnings {
  private readonly viewers = new LRUCache<string, Set<string>>({ max: maxBeginnings });

  /** Typing began, told to all but these viewers. */
  begin(conversationId: string, typistId: string, hiddenFrom: ReadonlySet<string>): void {
    if (hiddenFrom.size > 0) this.viewers.set(keyOf(conversationId, typistId), new Set(hiddenFrom));
    else this.forget(conversationId, typistId);
  }

  /** One viewer was told the end: for him there is none to come. */
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
