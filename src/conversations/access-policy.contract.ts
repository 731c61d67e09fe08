import assert from 'node:assert/strict';
import { errorCodeEntry, type ContractCase, type Role } from '../common/index.js';
import type { AccessPolicy, AccessRequest, AccessVerb } from './access.policy.js';

export interface AccessPolicySubject {
  policy: AccessPolicy;
  /** Conversations of the host's own, where ids matter to it. None: made-up ids. */
  conversationIds?: readonly string[];
  /** Users of the host's own. None: made-up ids. */
  userIds?: readonly string[];
}

const verbs: readonly AccessVerb[] = [
  'send',
  'edit',
  'delete-own',
  'delete-any',
  'rename',
  'add-participants',
  'remove-participant',
  'change-role',
  'read',
];
const roles: readonly Role[] = ['owner', 'admin', 'member'];

/** Everything it may be asked: each verb, by each role, to each target. */
function requestsTo({ conversationIds, userIds }: AccessPolicySubject): AccessRequest[] {
  const ids = conversationIds ?? ['0190a000-0000-7000-8000-000000000000'];
  const users = userIds ?? ['alice', 'bob'];
  return ids.flatMap((id) =>
    verbs.flatMap((verb) =>
      roles.flatMap((role) =>
        users.flatMap((userId) => {
          const group = { userId, verb, conversation: { id, kind: 'group' as const }, role };
          if (verb !== 'remove-participant' && verb !== 'change-role') {
            return [group, { ...group, conversation: { id, kind: 'direct' as const }, role: 'member' as const }];
          }
          return users.flatMap((targetId) =>
            roles.map((targetRole) => ({
              ...group,
              target: {
                userId: targetId,
                role: targetRole,
                ...(verb === 'change-role' ? { newRole: 'admin' as const } : {}),
              },
            })),
          );
        }),
      ),
    ),
  );
}

/** What every {@link AccessPolicy} must do. */
export const accessPolicyContract: ContractCase<AccessPolicySubject>[] = [
  {
    name: 'answers everything it may be asked, at once, and in a way a client can be told',
    check(subject) {
      for (const request of requestsTo(subject)) {
        const refusal: unknown = subject.policy.decide(request);
        assert.ok(!(refusal instanceof Promise), `${request.verb}: the answer is a promise, which counts as a refusal`);
        if (refusal === null) continue;
        const { code, message } = refusal as { code: string; message: string };
        assert.ok(errorCodeEntry(code).status < 500, `${request.verb}: ${code} is no registered code of a refusal`);
        assert.ok(typeof message === 'string' && message !== '', `${request.verb}: a refusal says why`);
      }
    },
  },
  {
    name: 'leaves the request as it is, and answers the same again',
    check(subject) {
      for (const request of requestsTo(subject)) {
        const before = structuredClone(request);
        const first = subject.policy.decide(request);
        assert.deepEqual(request, before);
        assert.deepEqual(subject.policy.decide(request), first);
      }
    },
  },
];
