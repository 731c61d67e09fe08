import { Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { UserRepository } from './user.repository.js';

const maxKnown = 100_000;

/**
 * Knows who has been seen before, so that the first sight of a user costs one statement and the
 * others none.
 */
@Injectable()
export class UserDirectory {
  private readonly known = new LRUCache<string, true>({ max: maxKnown });

  constructor(private readonly users: UserRepository) {}

  /**
   * Sees to it that a user exists. Idempotent, on all nodes at once.
   * @throws ChatError UNAVAILABLE
   */
  async ensure(userId: string): Promise<void> {
    if (this.isKnown(userId)) return;
    await this.users.insert(userId);
    this.known.set(userId, true);
  }

  /** Whether {@link ensure} would have nothing to do. */
  isKnown(userId: string): boolean {
    return this.known.has(userId);
  }

  /** For whoever removes users: the next {@link ensure} asks Postgres again, on this node. */
  forget(userId: string): void {
    this.known.delete(userId);
  }
}
