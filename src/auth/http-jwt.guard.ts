import type { ServerResponse } from 'node:http';
import { Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { byPage, ChatError, declaredCost } from '../common/index.js';
import { isPublic, requiredScope } from './access.decorators.js';
import { RequestAdmission, type AdmittedRequest } from './request-admission.js';

const byLimit = byPage();
const costsOne = (): number => 1;

/**
 * Lets a REST request through with a good token in its `Authorization: Bearer` header, and puts
 * `request.actor`. Never looks at the query string.
 *
 * Global: every route is closed unless it says `@Public()`. Never answers false: it throws.
 */
@Injectable()
export class HttpJwtGuard implements CanActivate {
  constructor(private readonly admission: RequestAdmission) {}

  /**
   * @throws ChatError UNAUTHENTICATED | TOKEN_EXPIRED | TOKEN_REVOKED | FORBIDDEN | UNAVAILABLE |
   * RATE_LIMITED
   */
  canActivate(context: ExecutionContext): true | Promise<true> {
    // Without a promise where there is nothing to do: it stands before every event of every socket,
    // too.
    if (context.getType() !== 'http' || isPublic(context)) return true;
    return this.assertAllowed(context);
  }

  private async assertAllowed(context: ExecutionContext): Promise<true> {
    const request = context.switchToHttp().getRequest<AdmittedRequest>();
    const response = context.switchToHttp().getResponse<ServerResponse>();
    const actor = await this.admission.admit(request, response);
    const declared = declaredCost(context.getHandler());
    // Only a query has a limit; in a body it would be refused.
    this.admission.charge(request, actor, declared ?? (request.method === 'GET' ? byLimit : costsOne));
    const scope = requiredScope(context);
    if (scope !== undefined && !this.admission.hasScope(actor, scope)) {
      throw this.admission.refusal(request, new ChatError('FORBIDDEN'));
    }
    // A route that declares its cost bounds itself: a user's searches must not hold up that user's
    // lists.
    if (!declared) await this.admission.takeTurn(request, response, actor);
    return true;
  }
}
