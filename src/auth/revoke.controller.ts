import { Body, HttpCode, Post, Req, UsePipes } from '@nestjs/common';
import { ApiNoContentResponse, ApiOperation } from '@nestjs/swagger';
import type { Request } from 'express';
import { ApiErrors, ChatController, clientAddress, DtoPipe, requestIdOf } from '../common/index.js';
import { Settings } from '../config/index.js';
import { RequireScope } from './access.decorators.js';
import { logRevocation } from './access-log.js';
import type { Actor } from './actor.js';
import { CurrentActor } from './current-actor.decorator.js';
import { Revocations } from './revocations.js';
import { RevokeTokensDto } from './revoke-tokens.dto.js';

/** Takes tokens back, for those who run the service. */
@ChatController('v1/auth', 'auth')
@UsePipes(new DtoPipe())
export class RevokeController {
  constructor(
    private readonly revocations: Revocations,
    private readonly settings: Settings,
  ) {}

  @Post('revoke')
  @HttpCode(204)
  @RequireScope('admin')
  @ApiOperation({
    summary: 'Takes back a user’s tokens',
    description:
      'Tokens issued up to `before` stop working on every node within `REVOCATION_BOUND_MS`, and their sockets are closed. Cannot be ' +
      'undone; repeating it is no error. Needs the scope `admin`.',
  })
  @ApiNoContentResponse({ description: 'Committed; holds on this node already' })
  @ApiErrors('VALIDATION_FAILED', 'FORBIDDEN')
  async revoke(@CurrentActor() actor: Actor, @Body() dto: RevokeTokensDto, @Req() request: Request): Promise<void> {
    await this.revocations.revoke(dto.sub, dto.beforeMs);
    logRevocation({
      userId: actor.userId,
      address: clientAddress(request, this.settings.trustProxy),
      requestId: requestIdOf(request),
      target: dto.sub,
    });
  }
}
