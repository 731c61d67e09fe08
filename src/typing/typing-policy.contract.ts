import assert from 'node:assert/strict';
import type { ContractCase } from '../common/index.js';
import type { TypingPolicy } from './typing.policy.js';

export interface TypingPolicySubject {
  policy: TypingPolicy;
  /** Users of all kinds of relation to each other; each types once before all others. */
  userIds: readonly string[];
}

/** The cases that every {@link TypingPolicy} must pass. */
export const typingPolicyContract: ContractCase<TypingPolicySubject>[] = [
  {
    name: 'names only those it was asked for, the same asked for one or for many',
    async check({ policy, userIds }) {
      for (const typistId of userIds) {
        const viewerIds = userIds.filter((userId) => userId !== typistId);
        const hidden = await policy.hiddenFrom(typistId, viewerIds);
        assert.deepEqual(
          [...hidden].filter((viewerId) => !viewerIds.includes(viewerId)),
          [],
        );
        for (const viewerId of viewerIds) {
          assert.equal((await policy.hiddenFrom(typistId, [viewerId])).has(viewerId), hidden.has(viewerId));
        }
      }
    },
  },
  {
    name: 'answers when nobody looks',
    async check({ policy, userIds }) {
      for (const typistId of userIds) assert.equal((await policy.hiddenFrom(typistId, [])).size, 0);
    },
  },
];
