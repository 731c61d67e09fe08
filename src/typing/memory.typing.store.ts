import { Injectable } from '@nestjs/common';
import { Clock } from '../common/index.js';
import { Settings } from '../config/index.js';
import { TypingStore, type TypingEnd, type TypingStart, type Typist } from './typing.store.js';

interface Composer {
  userId: string;
  /** Unix milliseconds. */
  endsAt: number;
}

/** Typing in the one process. */
@Injectable()
export class MemoryTypingStore extends TypingStore {
  /** Conversation -> connection -> what it types. */
  private readonly conversations = new Map<string, Map<string, Composer>>();

  private lastAtUs = 0;

  constructor(
    private readonly clock: Clock,
    private readonly settings: Settings,
  ) {
    super();
  }

  override async start({ conversationId, userId, connectionId }: Typist): Promise<TypingStart> {
    const composers = this.conversations.get(conversationId) ?? new Map<string, Composer>();
    this.conversations.set(conversationId, composers);
    const began = ![...composers.values()].some((composer) => composer.userId === userId);
    const endsAtMs = this.clock.now() + this.settings.typingTtlMs;
    composers.set(connectionId, { userId, endsAt: endsAtMs });
    return { began, endsAtMs, atUs: this.nextUs(), userIds: this.typists(conversationId) };
  }

  override async stop(conversationId: string, userId: string, connectionId: string | null): Promise<TypingEnd | null> {
    const composers = this.conversations.get(conversationId);
    if (!composers) return null;
    const own = [...composers].filter(([, composer]) => composer.userId === userId).map(([id]) => id);
    const ended = own.filter((id) => connectionId === null || id === connectionId);
    for (const id of ended) composers.delete(id);
    if (composers.size === 0) this.conversations.delete(conversationId);
    const isOver = ended.length > 0 && ended.length === own.length;
    return isOver ? { conversationId, userId, atUs: this.nextUs(), userIds: this.typists(conversationId) } : null;
  }

  override async sweep(): Promise<TypingEnd[]> {
    return [...this.conversations].flatMap(([conversationId, composers]) => this.expire(conversationId, composers));
  }

  override async typingIn(conversationId: string): Promise<string[]> {
    return this.typists(conversationId);
  }

  private expire(conversationId: string, composers: Map<string, Composer>): TypingEnd[] {
    const over = [...composers].filter(([, { endsAt }]) => endsAt <= this.clock.now());
    for (const [connectionId] of over) composers.delete(connectionId);
    if (composers.size === 0) this.conversations.delete(conversationId);
    const userIds = this.typists(conversationId);
    const ended = new Set(over.map(([, { userId }]) => userId).filter((userId) => !userIds.includes(userId)));
    return [...ended].map((userId) => ({ conversationId, userId, atUs: this.nextUs(), userIds }));
  }

  private nextUs(): number {
    return (this.lastAtUs = Math.max(this.lastAtUs + 1, this.clock.now() * 1_000));
  }

  private typists(conversationId: string): string[] {
    const now = this.clock.now();
    const running = [...(this.conversations.get(conversationId)?.values() ?? [])].filter(({ endsAt }) => endsAt > now);
    return [...new Set(running.map(({ userId }) => userId))].sort();
  }
}
