import { Injectable } from '@nestjs/common';

/**
 * Who types in a conversation now, for the answer to `join-conversation`.
 *
 * Called once per join, after membership was checked. A throw fails the join with `INTERNAL` or its
 * code, so an implementation answers an empty list when its store is away.
 *
 * @since 0.1.0
 */
export abstract class TypingSource {
  /** @returns user ids, without the viewer and those he may not see */
  abstract typingIn(conversationId: string, viewerId: string): Promise<string[]>;
}

/** Used where no feature provides {@link TypingSource}: nobody ever types. */
@Injectable()
export class SilentTypingSource extends TypingSource {
  override typingIn(): Promise<string[]> {
    return Promise.resolve([]);
  }
}
