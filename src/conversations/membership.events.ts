import { Injectable, Logger } from '@nestjs/common';
import type { Actor } from '../auth/index.js';

/** Told on every node, at least once, after commit. */
export type MembershipListener = (conversationId: string, userId: string) => void;
/** Told on the node of the socket. */
export type LeaveListener = (actor: Actor, conversationId: string) => void;

/**
 * Where other features hear of members coming and going. Listeners are registered in
 * `onModuleInit`, must not wait, and may be told twice; what they throw is logged.
 */
@Injectable()
export class MembershipEvents {
  private readonly logger = new Logger(MembershipEvents.name);
  private readonly added: MembershipListener[] = [];
  private readonly removed: MembershipListener[] = [];
  private readonly left: LeaveListener[] = [];

  /** Somebody takes part now: in a new conversation, or in one that was there before. */
  onAdded(listener: MembershipListener): void {
    this.added.push(listener);
  }

  /** Somebody takes part no longer. His connections have left the conversation already. */
  onRemoved(listener: MembershipListener): void {
    this.removed.push(listener);
  }

  /** A socket opted out (`leave-conversation`); the user still takes part. */
  onLeft(listener: LeaveListener): void {
    this.left.push(listener);
  }

  tellAdded(conversationId: string, userId: string): void {
    this.tellAll(this.added, conversationId, userId);
  }

  tellRemoved(conversationId: string, userId: string): void {
    this.tellAll(this.removed, conversationId, userId);
  }

  tellLeft(actor: Actor, conversationId: string): void {
    this.tellAll(this.left, actor, conversationId);
  }

  private tellAll<A extends unknown[]>(listeners: ((...args: A) => void)[], ...args: A): void {
    for (const listener of listeners) {
      try {
        listener(...args);
      } catch (error) {
        this.logger.error('a listener failed', error instanceof Error ? error.stack : String(error));
      }
    }
  }
}
