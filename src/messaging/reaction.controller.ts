import { Delete, Param, Put } from '@nestjs/common';
import { ApiOkResponse, ApiOperation } from '@nestjs/swagger';
import { Actor, CurrentActor } from '../auth/index.js';
import { ApiErrors, ChatController, DtoPipe, type Message } from '../common/index.js';
import { MessageSchema } from '../conversations/index.js';
import { ReactionParamDto } from './reaction.dto.js';
import { ReactionService } from './reaction.service.js';

/** Reacting, over REST. */
@ChatController('v1/messages/:id/reactions/:emoji', 'messages')
export class ReactionController {
  constructor(private readonly reactions: ReactionService) {}

  @Put()
  @ApiOperation({ summary: 'Reacts with an emoji; repeats change nothing' })
  @ApiOkResponse({ type: MessageSchema })
  @ApiErrors('VALIDATION_FAILED', 'NOT_FOUND', 'FORBIDDEN', 'CONFLICT')
  add(
    @CurrentActor() actor: Actor,
    @Param(new DtoPipe()) { id: messageId, emoji }: ReactionParamDto,
  ): Promise<Message> {
    return this.reactions.add(actor, { messageId, emoji });
  }

  @Delete()
  @ApiOperation({ summary: 'Takes the caller’s reaction away; repeats change nothing' })
  @ApiOkResponse({ type: MessageSchema })
  @ApiErrors('VALIDATION_FAILED', 'NOT_FOUND', 'FORBIDDEN')
  remove(
    @CurrentActor() actor: Actor,
    @Param(new DtoPipe()) { id: messageId, emoji }: ReactionParamDto,
  ): Promise<Message> {
    return this.reactions.remove(actor, { messageId, emoji });
  }
}
