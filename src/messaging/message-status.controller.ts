import { Get, Param } from '@nestjs/common';
import { ApiOkResponse, ApiOperation } from '@nestjs/swagger';
import { Actor, CurrentActor } from '../auth/index.js';
import { ApiErrors, ChatController, DtoPipe } from '../common/index.js';
import type { MessageStatus } from './message-status.js';
import { MessageStatusService } from './message-status.service.js';
import { MessageStatusParamDto } from './receipt.dto.js';
import { MessageStatusSchema } from './receipt.schemas.js';

/** How far a message has come, over REST. */
@ChatController('v1/messages/:id/status', 'messages')
export class MessageStatusController {
  constructor(private readonly statuses: MessageStatusService) {}

  @Get()
  @ApiOperation({ summary: 'Says whom a message has reached and who has read it, and when' })
  @ApiOkResponse({ type: MessageStatusSchema })
  @ApiErrors('NOT_FOUND', 'VALIDATION_FAILED')
  get(@CurrentActor() actor: Actor, @Param(new DtoPipe()) { id }: MessageStatusParamDto): Promise<MessageStatus> {
    return this.statuses.get(actor, id);
  }
}
