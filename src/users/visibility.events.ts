import { Injectable, Logger, type OnModuleInit } from '@nestjs/common';
import { acceptanceNoticeKind, MembershipEvents, type Acceptance } from '../conversations/index.js';
import { Announcer } from '../realtime/index.js';
import { visibilityNoticeKind } from './visibility.changes.js';

/** Why somebody may see more or less than before. */
export interface VisibilityChange {
  cause: 'blocked' | 'unblocked' | 'contact-added' | 'contact-removed' | 'privacy' | 'membership' | 'acceptance';
  /**
   * Who blocked, added, changed their privacy, takes part in a conversation now or no longer, or
   * has accepted the others of one.
   */
  userId: string;
  /** With blocks and contacts: whom it concerns besides, both ways. Null: anybody. */
  otherId: string | null;
}

/** Must not wait. */
export type VisibilityListener = (change: VisibilityChange) => void;

/**
 * Where other features hear, on every node, that who may see whom has changed: a running indicator
 * ends, a subscription is looked at again.
 *
 * After commit, at least once, also when the node that committed it dies. When listeners are told,
 * {@link UserVisibility} on this node knows already. What a listener throws is logged.
 */
@Injectable()
export class VisibilityEvents implements OnModuleInit {
  private readonly logger = new Logger(VisibilityEvents.name);
  private readonly listeners: VisibilityListener[] = [];

  constructor(
    private readonly announcer: Announcer,
    private readonly memberships: MembershipEvents,
  ) {}

  onModuleInit(): void {
    const tellOfMember = (_conversationId: string, userId: string) =>
      this.tell({ cause: 'membership', userId, otherId: null });
    this.announcer.on(visibilityNoticeKind, (change: VisibilityChange) => this.tell(change));
    const tellOfAcceptance = ({ userId }: Acceptance) => this.tell({ cause: 'acceptance', userId, otherId: null });
    // While this node is cut off, nothing remembered counts for long, and nothing at all when it is
    // back (UserVisibility).
    this.announcer.on(acceptanceNoticeKind, tellOfAcceptance, { catchesUp: true });
    this.memberships.onAdded(tellOfMember);
    this.memberships.onRemoved(tellOfMember);
  }

  /** Registers a listener; they are told in the order of registration. */
  onChanged(listener: VisibilityListener): void {
    this.listeners.push(listener);
  }

  private tell(change: VisibilityChange): void {
    for (const listener of this.listeners) {
      try {
        listener(change);
      } catch (error) {
        this.logger.error('a listener failed', error instanceof Error ? error.stack : String(error));
      }
    }
  }
}
