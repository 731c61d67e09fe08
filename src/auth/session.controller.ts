import { Delete, HttpCode, Req } from '@nestjs/common';
import { ApiNoContentResponse, ApiOperation } from '@nestjs/swagger';
import type { Request } from 'express';
import { ChatController, clientAddress, requestIdOf } from '../common/index.js';
import { Settings } from '../config/index.js';
import { logRevocation } from './access-log.js';
import type { Actor } from './actor.js';
import { CurrentActor } from './current-actor.decorator.js';
import { Revocations } from './revocations.js';

/** The caller's own sessions. */
@ChatController('v1/me/sessions', 'me')
export class SessionController {
  constructor(
    private readonly revocations: Revocations,
    private readonly settings: Settings,
  ) {}

  @Delete()
  @HttpCode(204)
  @ApiOperation({
    summary: 'Ends all other sessions of the caller',
    description:
      'All tokens of the caller issued until now, within this second or without `iat` stop working on every node within ' +
      '`REVOCATION_BOUND_MS`, and their sockets are closed. The token of this request goes on working; the ' +
      'exception of an earlier call ends.',
  })
  @ApiNoContentResponse({ description: 'Committed; holds on this node already' })
  async endOthers(@CurrentActor() actor: Actor, @Req() request: Request): Promise<void> {
    await this.revocations.endOtherSessions(actor.principal);
    logRevocation({
      userId: actor.userId,
      address: clientAddress(request, this.settings.trustProxy),
      requestId: requestIdOf(request),
      target: actor.userId,
    });
  }
}
