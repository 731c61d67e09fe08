import { ChatError } from '../common/index.js';
import type { Principal } from './principal.js';

/** An event's place in the order in which one socket's events arrived. Made by realtime. */
export interface Turn {
  /**
   * Resolves when every event that arrived earlier on this socket has released its turn; null: they
   * have. Never rejects.
   */
  readonly ready: Promise<void> | null;
  /** Lets the next event go on. Repeating it does nothing. */
  release(): void;
  /** Whether the event was answered `UNAVAILABLE` while its handler still worked. */
  readonly isGivenUp: boolean;
  giveUp(): void;
}

/** What all views of one connection share, so that a renewed token counts for each of them. */
interface Credentials {
  principal: Principal;
}

/**
 * Who acts, and by which door: the first argument of every service method.
 *
 * One per connection, or one per REST request. Events that need their order get a view of the
 * connection's actor ({@link inTurn}); all views share one principal.
 */
export class Actor {
  private credentials: Credentials;
  readonly userId: string;
  /** Null over REST. */
  readonly deviceId: string | null;
  /** The socket that acts; null over REST. */
  readonly connectionId: string | null;
  /** This event's place in the socket's order; left out where the order does not matter. */
  readonly turn?: Turn;

  constructor(principal: Principal, deviceId: string | null = null, connectionId: string | null = null) {
    this.credentials = { principal };
    this.userId = principal.userId;
    this.deviceId = deviceId;
    this.connectionId = connectionId;
  }

  get principal(): Principal {
    return this.credentials.principal;
  }

  /**
   * Goes on with a renewed token (`refresh-token`), for all views of this actor.
   *
   * @throws ChatError FORBIDDEN when it speaks for another user
   */
  set principal(renewed: Principal) {
    if (renewed.userId !== this.userId) throw new ChatError('FORBIDDEN', { message: 'The token is of another user' });
    this.credentials.principal = renewed;
  }

  hasScope(scope: string): boolean {
    return this.principal.scopes.includes(scope);
  }

  /** The same actor, for one event that has its place in the order of arrival. */
  inTurn(turn: Turn): Actor {
    const view = new Actor(this.principal, this.deviceId, this.connectionId);
    view.credentials = this.credentials;
    (view as { turn?: Turn }).turn = turn;
    return view;
  }
}
