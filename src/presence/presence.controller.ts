import { Get, Query } from '@nestjs/common';
import { ApiOkResponse, ApiOperation } from '@nestjs/swagger';
import { Actor, CurrentActor } from '../auth/index.js';
import { byIds, Costs, ApiErrors, ChatController, QueryPipe, type Presence } from '../common/index.js';
import { UserIdsQueryDto, userIdsOf } from '../conversations/index.js';
import { PresenceListSchema } from './presence.schemas.js';
import { PresenceService } from './presence.service.js';

/** Presence, over REST. */
@ChatController('v1/presence', 'presence')
export class PresenceController {
  constructor(private readonly presence: PresenceService) {}

  @Costs(byIds)
  @Get()
  @ApiOperation({ summary: 'Says who is online, as far as the caller may see' })
  @ApiOkResponse({ type: PresenceListSchema })
  @ApiErrors('VALIDATION_FAILED')
  async list(
    @CurrentActor() actor: Actor,
    @Query(new QueryPipe()) query: UserIdsQueryDto,
  ): Promise<{ items: Presence[] }> {
    const userIds = userIdsOf(query);
    return { items: await this.presence.presencesOf(actor, userIds, userIds.length) };
  }
}
