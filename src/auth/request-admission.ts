import type { IncomingMessage, ServerResponse } from 'node:http';
import { Injectable } from '@nestjs/common';
import { ChatError, clientAddress, clientNetwork, requestIdOf, type CostOf } from '../common/index.js';
import { Settings } from '../config/index.js';
import { UserTurns } from '../database/index.js';
import { scopeName } from './access.decorators.js';
import { logRefusal } from './access-log.js';
import { AccessWatch } from './access-watch.js';
import { Actor } from './actor.js';
import { bearerToken } from './handshake-token.js';
import { RequestBudget } from './request-budget.js';
import { SignIn } from './sign-in.js';

/** A request as far as this folder looks at it. */
export type AdmittedRequest = IncomingMessage & {
  actor?: Actor;
  query?: unknown;
  body?: unknown;
  originalUrl?: string;
};

const withoutBody = new Set(['GET', 'HEAD', 'DELETE']);

/**
 * Says who makes a REST request, and charges it to that user's budget.
 *
 * In two steps, since the first one needs no body: {@link admit} takes 1 unit as soon as the token
 * is known, so that a body at fault is paid for, and one without a token is never read. {@link
 * charge} takes the rest once the route and its query are known.
 */
@Injectable()
export class RequestAdmission {
  constructor(
    private readonly signIn: SignIn,
    private readonly watch: AccessWatch,
    private readonly budget: RequestBudget,
    private readonly turns: UserTurns,
    private readonly settings: Settings,
  ) {}

  /**
   * Puts `request.actor`. Does nothing the second time.
   *
   * @throws ChatError UNAUTHENTICATED | TOKEN_EXPIRED | TOKEN_REVOKED | UNAVAILABLE | RATE_LIMITED
   */
  async admit(request: AdmittedRequest, response: ServerResponse): Promise<Actor> {
    return request.actor ?? (request.actor = await this.admitted(request, response));
  }

  /** @throws ChatError RATE_LIMITED; then the unit that {@link admit} took is put back */
  charge({ method = 'GET', query, body }: AdmittedRequest, { userId }: Actor, costOf: CostOf): void {
    const units = costOf(withoutBody.has(method) ? query : body, this.settings);
    if (units <= 1) return;
    // The unit comes back first, so that the time to wait is that of the whole cost.
    this.budget.putBack(userId, 1);
    this.budget.take(userId, units);
  }

  /**
   * Waits until fewer than a few GET requests of the user are worked on. @throws ChatError
   * RATE_LIMITED
   */
  async takeTurn({ method }: AdmittedRequest, response: ServerResponse, { userId }: Actor): Promise<void> {
    if (method !== 'GET') return;
    const leave = await this.turns.request(userId);
    if (response.closed) leave();
    else response.once('close', leave);
  }

  /** Whether the token has a scope, by the name that the deployment gives it. */
  hasScope(actor: Actor, scope: string): boolean {
    return actor.hasScope(scopeName(scope, this.settings));
  }

  /** Logs that a request is refused. @returns the error, to be thrown */
  refusal(request: AdmittedRequest, error: ChatError): ChatError {
    logRefusal(error, {
      userId: request.actor?.userId ?? null,
      address: clientAddress(request, this.settings.trustProxy),
      requestId: requestIdOf(request),
      target: `${request.method} ${pathOf(request)}`,
    });
    return error;
  }

  private async admitted(request: AdmittedRequest, response: ServerResponse): Promise<Actor> {
    const actor = new Actor(await this.principalOf(request, response));
    this.budget.take(actor.userId, 1);
    return actor;
  }

  private async principalOf(request: AdmittedRequest, response: ServerResponse) {
    try {
      const token = bearerToken(request.headers.authorization);
      const principal = await this.signIn.principalOf(token, clientNetwork(request, this.settings.trustProxy));
      if (this.watch.isKept) return principal;
      await this.watch.assertKept();
      this.signIn.assertStillValid(principal, null);
      return principal;
    } catch (error) {
      if (error instanceof ChatError) this.refusal(request, error);
      // A 401 names the scheme that would do (RFC 9110, 11.6.1); harmless on a 503.
      response.setHeader('WWW-Authenticate', 'Bearer');
      throw error;
    }
  }
}

// Without the query, which may hold what must not be logged.
function pathOf({ originalUrl, url = '' }: AdmittedRequest): string {
  return (originalUrl ?? url).split('?', 1)[0]!.slice(0, 200);
}
