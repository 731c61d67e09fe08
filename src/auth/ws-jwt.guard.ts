import { Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { ChatError } from '../common/index.js';
import { Settings } from '../config/index.js';
import { isEphemeral, requiredScope, scopeName } from './access.decorators.js';
import { AccessWatch } from './access-watch.js';
import type { Actor } from './actor.js';
import { actorOf } from './actor-of.js';
import { SignIn } from './sign-in.js';

/**
 * Lets an event through while its socket's token is good. Global: it stands before every handler of
 * every gateway.
 *
 * The token was verified at the handshake. The guard only looks at the clock, the revocations and
 * the scope, without a promise as a rule, since it runs for every event. While this node cannot
 * know in time what was revoked, events that are not `@Ephemeral()` are refused. It never answers
 * false: it throws.
 */
@Injectable()
export class WsJwtGuard implements CanActivate {
  constructor(
    private readonly signIn: SignIn,
    private readonly watch: AccessWatch,
    private readonly settings: Settings,
  ) {}

  /** @throws ChatError UNAUTHENTICATED | TOKEN_EXPIRED | TOKEN_REVOKED | FORBIDDEN | UNAVAILABLE */
  canActivate(context: ExecutionContext): boolean | Promise<boolean> {
    if (context.getType() !== 'ws') return true;
    const actor = actorOf(context);
    if (!actor) throw new ChatError('UNAUTHENTICATED');
    this.assertStillValid(actor);
    const scope = requiredScope(context);
    if (scope !== undefined && !actor.hasScope(scopeName(scope, this.settings))) throw new ChatError('FORBIDDEN');
    return this.watch.isKept || isEphemeral(context) || this.afterReading(actor);
  }

  private async afterReading(actor: Actor): Promise<boolean> {
    await this.watch.assertKept();
    this.assertStillValid(actor);
    return true;
  }

  private assertStillValid({ principal, deviceId }: Actor): void {
    this.signIn.assertStillValid(principal, deviceId);
  }
}
