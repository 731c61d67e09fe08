import { Injectable } from '@nestjs/common';
import type { Message } from '../common/index.js';
import { SearchRepository } from './search.repository.js';
import type { SearchKey } from './search.sql.js';
import { SearchWalkRepository, type ReadableConversation } from './search-walk.repository.js';

// Below this many hits in all of the system, looking at each of them is the shortest way.
const fewHits = 5_000;
const conversationsAtOnce = 32;
// A page of a word that stands in every fourth message is found among as many.
const walkedPerHit = 4;

/** A search through all of one user's conversations. */
interface Search {
  userId: string;
  q: string;
  after: SearchKey | null;
  limit: number;
}

/**
 * Searches all of a user's conversations at a price that follows what he can read, not what
 * everybody wrote.
 *
 * Rare words go straight through the index. Words that many messages hold are looked for in the
 * user's conversations, latest active first, until those that are left cannot hold anything newer
 * than the page.
 */
@Injectable()
export class EverywhereSearch {
  constructor(
    private readonly messages: SearchRepository,
    private readonly conversations: SearchWalkRepository,
  ) {}

  /** @returns newest first, behind the key */
  async find(search: Search): Promise<Message[]> {
    const { userId, q, after, limit } = search;
    if ((await this.messages.estimate(q)) < fewHits) return this.messages.everywhere(userId, q, after, limit);
    return this.walk(search);
  }

  private async walk(search: Search): Promise<Message[]> {
    const { userId, after, limit } = search;
    let found: Message[] = [];
    let behind: ReadableConversation | null = null;
    for (;;) {
      const conversations: ReadableConversation[] = await this.conversations.readable(
        userId,
        after,
        behind,
        conversationsAtOnce,
      );
      behind = conversations.at(-1) ?? null;
      if (behind === null) return found;
      found = [...found, ...(await this.within(search, conversations))].sort(newestFirst).slice(0, limit);
      const isComplete = found.length === limit && Date.parse(found.at(-1)!.createdAt) * 1_000 > behind.activeAtUs;
      if (isComplete || conversations.length < conversationsAtOnce) return found;
    }
  }

  /**
   * All that these conversations can add to the page: what their newest messages hold, and where
   * that is not all, the rest.
   */
  private async within(search: Search, conversations: ReadableConversation[]): Promise<Message[]> {
    const walked = search.limit * walkedPerHit;
    const near = await this.conversations.newestOfEach({ ...search, conversations }, walked);
    const hits = new Map<string, number>();
    for (const { conversationId } of near) hits.set(conversationId, (hits.get(conversationId) ?? 0) + 1);
    const hasMore = conversations.filter(({ id, afterSeq, beforeSeq }) => {
      return (hits.get(id) ?? 0) < search.limit && beforeSeq - afterSeq - 1 > walked;
    });
    if (hasMore.length === 0) return near;
    const unfinished = new Set(hasMore.map(({ id }) => id));
    const rest = await this.conversations.newestByIndex({ ...search, conversations: hasMore });
    return [...near.filter(({ conversationId }) => !unfinished.has(conversationId)), ...rest];
  }
}

function newestFirst(a: Message, b: Message): number {
  if (a.createdAt !== b.createdAt) return a.createdAt < b.createdAt ? 1 : -1;
  if (a.conversationId !== b.conversationId) return a.conversationId < b.conversationId ? 1 : -1;
  return b.seq - a.seq;
}
