import { Body, Controller, HttpCode, Post, UsePipes } from '@nestjs/common';
import {
  ApiBadRequestResponse,
  ApiNoContentResponse,
  ApiOperation,
  ApiServiceUnavailableResponse,
  ApiTags,
  ApiUnauthorizedResponse,
} from '@nestjs/swagger';
import { DtoPipe } from '../common/index.js';
import { RequireScope } from './access.decorators.js';
import { Revocations } from './revocations.js';
import { RevokeTokensDto } from './revoke-tokens.dto.js';

/** Takes tokens back, for those who run the service. */
@ApiTags('auth')
@Controller('v1/auth')
@UsePipes(new DtoPipe())
export class RevokeController {
  constructor(private readonly revocations: Revocations) {}

  @Post('revoke')
  @HttpCode(204)
  @RequireScope('admin')
  @ApiOperation({
    summary: 'Takes back a user’s tokens',
    description:
      'Tokens issued up to `before` stop working on every node within 2 s, and their sockets are closed. Cannot be ' +
      'undone; repeating it is no error. Needs the scope `admin`.',
  })
  @ApiNoContentResponse({ description: 'Committed; holds on this node already' })
  @ApiBadRequestResponse({ description: 'VALIDATION_FAILED' })
  @ApiUnauthorizedResponse({ description: 'UNAUTHENTICATED, TOKEN_EXPIRED or TOKEN_REVOKED' })
  @ApiServiceUnavailableResponse({ description: 'UNAVAILABLE: the outcome is unknown, repeat it' })
  async revoke(@Body() dto: RevokeTokensDto): Promise<void> {
    await this.revocations.revoke(dto.sub, dto.beforeMs);
  }
}
