import type { IncomingMessage, ServerResponse } from 'node:http';
import { Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { ChatError } from '../common/index.js';
import { isPublic, requiredScope } from './access.decorators.js';
import { Actor } from './actor.js';
import { bearerToken } from './handshake-token.js';
import { SignIn } from './sign-in.js';

/**
 * Lets a REST request through with a good token in its `Authorization: Bearer` header, and puts
 * `request.actor`. Never looks at the query string.
 *
 * Global: every route is closed unless it says `@Public()`. Never answers false: it throws.
 */
@Injectable()
export class HttpJwtGuard implements CanActivate {
  constructor(private readonly signIn: SignIn) {}

  /** @throws ChatError UNAUTHENTICATED | TOKEN_EXPIRED | TOKEN_REVOKED | FORBIDDEN | UNAVAILABLE */
  canActivate(context: ExecutionContext): true | Promise<true> {
    // Without a promise where there is nothing to do: it stands before every event of every socket,
    // too.
    if (context.getType() !== 'http' || isPublic(context)) return true;
    return this.assertAllowed(context);
  }

  private async assertAllowed(context: ExecutionContext): Promise<true> {
    const actor = await this.actorOf(context);
    const scope = requiredScope(context);
    if (scope !== undefined && !actor.hasScope(scope)) throw new ChatError('FORBIDDEN');
    return true;
  }

  private async actorOf(context: ExecutionContext): Promise<Actor> {
    const request = context.switchToHttp().getRequest<IncomingMessage & { actor?: Actor }>();
    try {
      request.actor = new Actor(await this.signIn.principalOf(bearerToken(request.headers.authorization)));
      return request.actor;
    } catch (error) {
      // A 401 names the scheme that would do (RFC 9110, 11.6.1); harmless on a 503.
      context.switchToHttp().getResponse<ServerResponse>().setHeader('WWW-Authenticate', 'Bearer');
      throw error;
    }
  }
}
