import { Injectable } from '@nestjs/common';
import { UserVisibility } from '../users/index.js';
import { TypingPolicy } from './typing.policy.js';

/** Two users do not see each other typing when one has blocked the other. */
@Injectable()
export class BlocksTypingPolicy extends TypingPolicy {
  constructor(private readonly visibility: UserVisibility) {
    super();
  }

  override async hiddenFrom(typistId: string, viewerIds: readonly string[]): Promise<ReadonlySet<string>> {
    const sights = await this.visibility.seenBy(typistId, viewerIds);
    return new Set(viewerIds.filter((viewerId) => sights.get(viewerId)?.isBlocked ?? true));
  }
}
