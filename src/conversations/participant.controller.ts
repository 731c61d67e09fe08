import { Body, Delete, Get, HttpCode, Param, Patch, Post, Query } from '@nestjs/common';
import { ApiCreatedResponse, ApiNoContentResponse, ApiOkResponse, ApiOperation } from '@nestjs/swagger';
import { Actor, CurrentActor } from '../auth/index.js';
import {
  ApiErrors,
  ChatController,
  DtoPipe,
  QueryPipe,
  type Conversation,
  type Page,
  type Participant,
} from '../common/index.js';
import {
  AddParticipantsDto,
  ChangeRoleDto,
  ConversationPageDto,
  ConversationParamDto,
  ParticipantParamDto,
} from './conversation.dto.js';
import { ConversationSchema, ParticipantPageSchema, ParticipantSchema } from './conversation.schemas.js';
import { ParticipantService } from './participant.service.js';

/** Who takes part in a group, over REST. */
@ApiErrors('VALIDATION_FAILED', 'NOT_FOUND', 'FORBIDDEN', 'CONFLICT')
@ChatController('v1/conversations/:id/participants', 'conversations')
export class ParticipantController {
  constructor(private readonly participants: ParticipantService) {}

  @Get()
  @ApiOperation({
    summary: 'Lists the participants of a conversation',
    description: 'By role (owner, admin, member), then by time of joining. For participants.',
  })
  @ApiOkResponse({ type: ParticipantPageSchema })
  list(
    @CurrentActor() actor: Actor,
    @Param(new DtoPipe()) { id }: ConversationParamDto,
    @Query(new QueryPipe()) query: ConversationPageDto,
  ): Promise<Page<Participant>> {
    return this.participants.list(actor, id, query);
  }

  @Post()
  @ApiOperation({
    summary: 'Adds members to a group',
    description:
      'For its owner and admins. Repeats are no error. Left out: users who refuse it (`privacy.groups`), or with a block.',
  })
  @ApiCreatedResponse({ type: ConversationSchema })
  add(
    @CurrentActor() actor: Actor,
    @Param(new DtoPipe()) { id }: ConversationParamDto,
    @Body(new DtoPipe()) dto: AddParticipantsDto,
  ): Promise<Conversation> {
    return this.participants.add(actor, id, dto.userIds);
  }

  @Patch(':userId')
  @ApiOperation({ summary: 'Changes a role', description: 'For the owner; `owner` hands the ownership over.' })
  @ApiOkResponse({ type: ParticipantSchema })
  changeRole(
    @CurrentActor() actor: Actor,
    @Param(new DtoPipe()) { id, userId }: ParticipantParamDto,
    @Body(new DtoPipe()) dto: ChangeRoleDto,
  ): Promise<Participant> {
    return this.participants.changeRole(actor, id, userId, dto.role);
  }

  @Delete(':userId')
  @HttpCode(204)
  @ApiOperation({
    summary: 'Removes a member, or leaves',
    description: 'The owner leaves last, or hands over first. An admin does not remove an admin.',
  })
  @ApiNoContentResponse()
  async remove(@CurrentActor() actor: Actor, @Param(new DtoPipe()) { id, userId }: ParticipantParamDto): Promise<void> {
    await this.participants.remove(actor, id, userId);
  }
}
