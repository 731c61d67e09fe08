import { Body, Delete, Get, HttpCode, HttpStatus, Param, Patch, Post, Query, Res } from '@nestjs/common';
import { ApiCreatedResponse, ApiNoContentResponse, ApiOkResponse, ApiOperation } from '@nestjs/swagger';
import type { Response } from 'express';
import { Actor, CurrentActor } from '../auth/index.js';
import { ApiErrors, ChatController, DtoPipe, QueryPipe, type Conversation, type Page } from '../common/index.js';
import {
  ConversationListDto,
  ConversationParamDto,
  CreateConversationDto,
  RenameConversationDto,
} from './conversation.dto.js';
import { ConversationPageSchema, ConversationSchema } from './conversation.schemas.js';
import { ConversationService } from './conversation.service.js';

/** Conversations, over REST. */
@ChatController('v1/conversations', 'conversations')
export class ConversationController {
  constructor(private readonly conversations: ConversationService) {}

  @Post()
  @ApiOperation({
    summary: 'Creates a group, or opens the one direct conversation with another user',
    description: 'A group leaves out users who refuse it (`privacy.groups`), and those with a block of either side.',
  })
  @ApiCreatedResponse({ type: ConversationSchema })
  @ApiOkResponse({ type: ConversationSchema, description: 'The direct conversation was there before' })
  @ApiErrors('VALIDATION_FAILED', 'CONFLICT')
  async create(
    @CurrentActor() actor: Actor,
    @Body(new DtoPipe()) dto: CreateConversationDto,
    @Res({ passthrough: true }) response: Response,
  ): Promise<Conversation> {
    const { conversation, created } = await this.conversations.create(actor, dto);
    response.status(created ? HttpStatus.CREATED : HttpStatus.OK);
    return conversation;
  }

  @Get()
  @ApiOperation({
    summary: 'Lists the caller’s conversations, newest activity first',
    description: 'For example `?kind=group&unread=true`: the groups with unread messages.',
  })
  @ApiOkResponse({ type: ConversationPageSchema })
  @ApiErrors('VALIDATION_FAILED')
  list(@CurrentActor() actor: Actor, @Query(new QueryPipe()) query: ConversationListDto): Promise<Page<Conversation>> {
    return this.conversations.list(actor, query);
  }

  @Get(':id')
  @ApiOperation({ summary: 'Reads a conversation' })
  @ApiOkResponse({ type: ConversationSchema })
  @ApiErrors('VALIDATION_FAILED', 'NOT_FOUND')
  get(@CurrentActor() actor: Actor, @Param(new DtoPipe()) { id }: ConversationParamDto): Promise<Conversation> {
    return this.conversations.get(actor, id);
  }

  @Patch(':id')
  @ApiOperation({ summary: 'Renames a group', description: 'For its owner and admins.' })
  @ApiOkResponse({ type: ConversationSchema })
  @ApiErrors('VALIDATION_FAILED', 'NOT_FOUND', 'FORBIDDEN', 'CONFLICT')
  rename(
    @CurrentActor() actor: Actor,
    @Param(new DtoPipe()) { id }: ConversationParamDto,
    @Body(new DtoPipe()) dto: RenameConversationDto,
  ): Promise<Conversation> {
    return this.conversations.rename(actor, id, dto.title);
  }

  @Delete(':id')
  @HttpCode(204)
  @ApiOperation({
    summary: 'Deletes a group for everybody',
    description: 'For its owner. Messages, receipts and reactions are gone for all participants.',
  })
  @ApiNoContentResponse()
  @ApiErrors('VALIDATION_FAILED', 'NOT_FOUND', 'FORBIDDEN', 'CONFLICT')
  async delete(@CurrentActor() actor: Actor, @Param(new DtoPipe()) { id }: ConversationParamDto): Promise<void> {
    await this.conversations.delete(actor, id);
  }
}
