import assert from 'node:assert/strict';
import type { ContractCase } from '../common/index.js';
import { presenceSeen, type PresencePolicy, type PresenceSight } from './presence.policy.js';

export interface PresencePolicySubject {
  policy: PresencePolicy;
  /** Users of all kinds of relation to each other; every pair is looked at. */
  userIds: readonly string[];
  /** Somebody who does not exist. */
  unknownId: string;
}

/** The status that a viewer finally sees of an online user. */
function shown(userId: string, sight: PresenceSight | undefined): string {
  return JSON.stringify(presenceSeen({ userId, status: 'online', lastSeenAt: '2026-01-01T00:00:00.000Z' }, sight));
}

/** The rules for every {@link PresencePolicy}. */
export const presencePolicyContract: ContractCase<PresencePolicySubject>[] = [
  {
    name: 'shows the same in answers as in events',
    async check({ policy, userIds }) {
      for (const viewerId of userIds) {
        const visible = await policy.visibleTo(viewerId, userIds);
        for (const userId of userIds) {
          if (userId === viewerId) continue;
          const seen = await policy.seenBy(userId, [viewerId]);
          const [answer, event] = [shown(userId, visible.get(userId)), shown(userId, seen.get(viewerId))];
          assert.equal(event, answer, `${viewerId} is shown another ${userId} in events than in answers`);
        }
      }
    },
  },
  {
    name: 'shows the same of each, asked for one or for many',
    async check({ policy, userIds }) {
      for (const viewerId of userIds) {
        const many = await policy.visibleTo(viewerId, userIds);
        for (const userId of userIds) {
          const one = await policy.visibleTo(viewerId, [userId]);
          assert.equal(shown(userId, one.get(userId)), shown(userId, many.get(userId)));
        }
      }
    },
  },
  {
    name: 'answers for whom nobody knows, and for nobody',
    async check({ policy, userIds, unknownId }) {
      await policy.audienceOf(unknownId);
      for (const viewerId of [...userIds, unknownId]) {
        await policy.visibleTo(viewerId, [unknownId]);
        assert.equal((await policy.visibleTo(viewerId, [])).size, 0);
        assert.equal((await policy.seenBy(viewerId, [])).size, 0);
      }
    },
  },
  {
    name: 'names nobody twice who hears unasked',
    async check({ policy, userIds }) {
      for (const userId of userIds) {
        const audience = await policy.audienceOf(userId);
        assert.equal(new Set(audience).size, audience.length);
      }
    },
  },
];
