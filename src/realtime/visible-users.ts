import { Injectable } from '@nestjs/common';

/**
 * Which connected users have a device that somebody looks at: not one of them all that put its app
 * away (`user-offline`).
 *
 * Asked after commits, off the path of a send, by whoever notifies absent users. Must not fail.
 * Default: {@link EveryoneConnected}; `presence` puts its own in place.
 */
export abstract class VisibleUsers {
  /**
   * @param userIds users with a connection on any node
   * @returns those with a visible device, and those of whom that is not known
   */
  abstract among(userIds: readonly string[]): Promise<ReadonlySet<string>>;
  /** Registers who hears, on every node, of users who may have no visible device any longer. */
  abstract onHidden(listener: (userId: string) => void): void;
}

/** Used where no feature provides {@link VisibleUsers}: who is connected looks. */
@Injectable()
export class EveryoneConnected extends VisibleUsers {
  override among(userIds: readonly string[]): Promise<ReadonlySet<string>> {
    return Promise.resolve(new Set(userIds));
  }

  override onHidden(): void {
    // Nobody ever is.
  }
}
