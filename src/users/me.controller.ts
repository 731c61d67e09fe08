import { Body, Get, Patch } from '@nestjs/common';
import { ApiOkResponse, ApiOperation } from '@nestjs/swagger';
import { Actor, CurrentActor } from '../auth/index.js';
import { ApiErrors, ChatController, DtoPipe } from '../common/index.js';
import { ProfileSchema, UpdateMeDto } from './me.dto.js';
import { ProfileService } from './profile.service.js';
import type { Profile } from './user.js';

/** The caller himself, over REST. */
@ChatController('v1/me', 'me')
export class MeController {
  constructor(private readonly profiles: ProfileService) {}

  @Get()
  @ApiOperation({ summary: 'Reads the caller’s profile' })
  @ApiOkResponse({ type: ProfileSchema })
  get(@CurrentActor() actor: Actor): Promise<Profile> {
    return this.profiles.get(actor);
  }

  @Patch()
  @ApiOperation({ summary: 'Changes the caller’s profile', description: 'What is left out stays.' })
  @ApiOkResponse({ type: ProfileSchema })
  @ApiErrors('VALIDATION_FAILED')
  update(@CurrentActor() actor: Actor, @Body(new DtoPipe()) dto: UpdateMeDto): Promise<Profile> {
    return this.profiles.update(actor, dto);
  }
}
