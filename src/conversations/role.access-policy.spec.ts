import { describe, expect, it } from 'vitest';
import type { Role } from '../common/index.js';
import { accessPolicyContract } from './access-policy.contract.js';
import type { AccessVerb } from './access.policy.js';
import { RoleAccessPolicy } from './role.access-policy.js';

const policy = new RoleAccessPolicy();
const conversation = { id: 'c', kind: 'group' } as const;
const roles: Role[] = ['owner', 'admin', 'member'];

function allowed(verb: AccessVerb, role: Role, target?: { userId: string; role: Role }): boolean {
  const refusal = policy.decide({ userId: 'me', verb, conversation, role, ...(target ? { target } : {}) });
  if (refusal) expect(refusal.code).toBe('FORBIDDEN');
  return refusal === null;
}

describe('RoleAccessPolicy', () => {
  it.each(accessPolicyContract)('$name', ({ check }) => check({ policy }));

  it.each(['send', 'edit', 'delete-own', 'read'] as const)('lets every participant %s', (verb) => {
    expect(roles.map((role) => allowed(verb, role))).toEqual([true, true, true]);
  });

  it.each(['rename', 'add-participants', 'delete-any'] as const)('lets owner and admin %s', (verb) => {
    expect(roles.map((role) => allowed(verb, role))).toEqual([true, true, false]);
  });

  it('lets only the owner change roles', () => {
    const target = { userId: 'you', role: 'member' as const };
    expect(roles.map((role) => allowed('change-role', role, target))).toEqual([true, false, false]);
  });

  it.each([
    ['owner', [true, true, true]],
    ['admin', [false, false, true]],
    ['member', [false, false, false]],
  ] as const)('lets the %s remove [owner, admin, member]: %j', (role, expected) => {
    expect(roles.map((target) => allowed('remove-participant', role, { userId: 'you', role: target }))).toEqual(
      expected,
    );
  });

  it('lets everybody leave', () => {
    expect(roles.map((role) => allowed('remove-participant', role, { userId: 'me', role }))).toEqual([
      true,
      true,
      true,
    ]);
  });
});
