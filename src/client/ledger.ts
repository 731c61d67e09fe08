import type { Conversation, Message } from '../common/wire.js';
import { RecentMap } from './recent.map.js';

/** A participant's cursor, as an event or `sync` tells it. */
export interface CursorNews {
  conversationId: string;
  userId: string;
  deliveredSeq?: number;
  readSeq?: number;
}

const maxCursors = 20_000;
const maxConversations = 10_000;
const gone = Number.POSITIVE_INFINITY;

/**
 * Knows which messages the app has received, so that the client delivers nothing twice, and nothing
 * old after something newer.
 *
 * Bounded: it forgets messages that have not changed for long, and would deliver one again. Apps
 * that store messages compare `rev`, too.
 */
export class Ledger {
  private readonly revs: RecentMap<string, number>;
  private readonly cursors = new RecentMap<string, number>(maxCursors);
  private readonly conversations = new RecentMap<string, Conversation | null>(maxConversations);

  /** @param changed called when a state was noted that was news */
  constructor(
    maxMessages: number,
    private readonly changed: () => void,
  ) {
    this.revs = new RecentMap(maxMessages);
  }

  /** The states noted last, oldest first; null: deleted. */
  newest(count: number): [messageId: string, rev: number | null][] {
    return this.revs.newest(count).map(([id, rev]) => [id, rev === gone ? null : rev]);
  }

  restore(entries: readonly [messageId: string, rev: number | null][]): void {
    for (const [id, rev] of entries) this.set(id, rev ?? gone);
  }

  knows(messageId: string): boolean {
    return this.revs.get(messageId) !== undefined;
  }

  /** Whether a state of a message is newer than what the app has. */
  isNews(messageId: string, rev: number): boolean {
    return rev > (this.revs.get(messageId) ?? 0);
  }

  note({ id, rev }: Pick<Message, 'id' | 'rev'>): void {
    this.set(id, rev);
  }

  isGone(messageId: string): boolean {
    return this.revs.get(messageId) === gone;
  }

  /** Deleted, for all or for this user: nothing of it is news any more. */
  noteDeletion(messageId: string): void {
    this.set(messageId, gone);
  }

  isFurther({ conversationId, userId, deliveredSeq, readSeq }: CursorNews): boolean {
    const key = `${conversationId} ${userId}`;
    return (deliveredSeq ?? 0) > this.cursor('delivered', key) || (readSeq ?? 0) > this.cursor('read', key);
  }

  noteCursor(news: CursorNews): void {
    const key = `${news.conversationId} ${news.userId}`;
    for (const kind of ['delivered', 'read'] as const) {
      this.cursors.set(`${kind} ${key}`, Math.max(news[`${kind}Seq`] ?? 0, this.cursor(kind, key)));
    }
  }

  /** Whether a conversation looks as it did before the app was told of it last. */
  isStale({ id, updatedAt, lastRev }: Conversation): boolean {
    const known = this.conversations.get(id);
    return known != null && (updatedAt < known.updatedAt || lastRev < known.lastRev);
  }

  noteConversation(conversation: Conversation): void {
    this.conversations.set(conversation.id, conversation);
  }

  /** Whether the user's leaving was told, and no return since. */
  isRemoved(conversationId: string): boolean {
    return this.conversations.get(conversationId) === null;
  }

  noteRemoval(conversationId: string): void {
    this.conversations.set(conversationId, null);
  }

  private set(id: string, rev: number): void {
    const known = this.revs.get(id) ?? 0;
    this.revs.set(id, Math.max(rev, known));
    if (rev > known) this.changed();
  }

  private cursor(kind: 'delivered' | 'read', key: string): number {
    return this.cursors.get(`${kind} ${key}`) ?? 0;
  }
}
