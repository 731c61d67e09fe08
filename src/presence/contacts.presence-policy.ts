import { Injectable } from '@nestjs/common';
import { UserVisibility } from '../users/index.js';
import { PresencePolicy, type PresenceSight } from './presence.policy.js';

/** Contacts, blocks and privacy, as users have set them (contract, section 8). */
@Injectable()
export class ContactsPresencePolicy extends PresencePolicy {
  constructor(private readonly visibility: UserVisibility) {
    super();
  }

  override audienceOf(userId: string): Promise<readonly string[]> {
    return this.visibility.audienceOf(userId);
  }

  override visibleTo(viewerId: string, userIds: readonly string[]): Promise<ReadonlyMap<string, PresenceSight>> {
    return this.visibility.visibleTo(viewerId, userIds);
  }

  override seenBy(userId: string, viewerIds: readonly string[]): Promise<ReadonlyMap<string, PresenceSight>> {
    return this.visibility.seenBy(userId, viewerIds);
  }
}
