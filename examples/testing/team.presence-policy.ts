import { Injectable } from '@nestjs/common';
import { PresencePolicy, type PresenceSight } from '../../src/index.js';

/** Members of a team see each other's presence: `red-1` sees `red-2`, but not `blue-1`. */
@Injectable()
export class TeamPresencePolicy extends PresencePolicy {
  override async audienceOf(userId: string): Promise<readonly string[]> {
    return Array.from({ length: 9 }, (_, i) => `${teamOf(userId)}-${i + 1}`).filter((id) => id !== userId);
  }

  override async visibleTo(viewerId: string, userIds: readonly string[]): Promise<ReadonlyMap<string, PresenceSight>> {
    const isColleague = (userId: string) => teamOf(userId) === teamOf(viewerId);
    return new Map(userIds.map((userId) => [userId, { online: isColleague(userId), lastSeen: false }]));
  }

  override seenBy(userId: string, viewerIds: readonly string[]): Promise<ReadonlyMap<string, PresenceSight>> {
    // The relation is the same both ways.
    return this.visibleTo(userId, viewerIds);
  }
}

function teamOf(userId: string): string {
  return userId.split('-')[0]!;
}
