import { Injectable } from '@nestjs/common';
import { AccessPolicy, type AccessRefusal, type AccessRequest } from './access.policy.js';

/**
 * The contract's rules: owner and admin run a group, an admin is no other admin's master, roles are
 * the owner's.
 */
@Injectable()
export class RoleAccessPolicy extends AccessPolicy {
  override decide(request: AccessRequest): AccessRefusal | null {
    switch (request.verb) {
      case 'rename':
      case 'add-participants':
      case 'delete-any':
        return request.role === 'member' ? forbidden('Only the owner and admins may do this') : null;
      case 'remove-participant':
        return mayRemove(request) ? null : forbidden('Your role may not remove this participant');
      case 'delete-conversation':
        return request.role === 'owner' ? null : forbidden('Only the owner may delete the group');
      case 'change-role':
        return request.role === 'owner' ? null : forbidden('Only the owner may change roles');
      default:
        return null;
    }
  }
}

function mayRemove({ userId, role, target }: AccessRequest): boolean {
  if (target?.userId === userId || role === 'owner') return true;
  return role === 'admin' && target?.role === 'member';
}

function forbidden(message: string): AccessRefusal {
  return { code: 'FORBIDDEN', message };
}
