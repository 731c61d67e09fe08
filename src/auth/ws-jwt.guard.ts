import { Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { ChatError } from '../common/index.js';
import { Settings } from '../config/index.js';
import { requiredScope, scopeName } from './access.decorators.js';
import { actorOf } from './actor-of.js';
import { SignIn } from './sign-in.js';

/**
 * Lets an event through while its socket's token is good. Global: it stands before every handler of
 * every gateway.
 *
 * The token was verified at the handshake; here is only looked at the clock, the revocations and
 * the scope, without a promise, since this runs for every event. Never answers false: it throws.
 */
@Injectable()
export class WsJwtGuard implements CanActivate {
  constructor(
    private readonly signIn: SignIn,
    private readonly settings: Settings,
  ) {}

  /** @throws ChatError UNAUTHENTICATED | TOKEN_EXPIRED | TOKEN_REVOKED | FORBIDDEN */
  canActivate(context: ExecutionContext): boolean {
    if (context.getType() !== 'ws') return true;
    const actor = actorOf(context);
    if (!actor) throw new ChatError('UNAUTHENTICATED');
    this.signIn.assertStillValid(actor.principal);
    const scope = requiredScope(context);
    if (scope !== undefined && !actor.hasScope(scopeName(scope, this.settings))) throw new ChatError('FORBIDDEN');
    return true;
  }
}
