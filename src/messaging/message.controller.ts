import { Body, Get, HttpStatus, Param, Post, Query, Res, UsePipes } from '@nestjs/common';
import { ApiCreatedResponse, ApiOkResponse, ApiOperation } from '@nestjs/swagger';
import type { Response } from 'express';
import { Actor, CurrentActor } from '../auth/index.js';
import { ApiErrors, ChatController, DtoPipe, QueryPipe, type Message } from '../common/index.js';
import { ConversationParamDto, MessageSchema } from '../conversations/index.js';
import { MessageParamDto } from './edit.dto.js';
import { HistoryService } from './history.service.js';
import { MessageBodyDto, MessagePageDto } from './message.dto.js';
import { MessagePageSchema } from './message.schemas.js';
import { MessageService } from './message.service.js';

/** Sending and reading messages, over REST: the same service methods as the gateway's. */
@ChatController('v1/conversations/:id/messages', 'messages')
export class ConversationMessagesController {
  constructor(
    private readonly messages: MessageService,
    private readonly history: HistoryService,
  ) {}

  @Get()
  @ApiOperation({
    summary: 'A page of a conversation’s history',
    description: 'Ascending by `seq`. Without a cursor the newest; `beforeSeq` and `afterSeq` exclude each other.',
  })
  @ApiOkResponse({ type: MessagePageSchema })
  @ApiErrors('NOT_FOUND', 'VALIDATION_FAILED')
  async list(
    @CurrentActor() actor: Actor,
    @Param(new DtoPipe()) { id }: ConversationParamDto,
    @Query(new QueryPipe()) query: MessagePageDto,
  ): Promise<{ items: Message[]; hasMore: boolean }> {
    const { messages, hasMore } = await this.history.page(actor, { conversationId: id, ...query });
    return { items: messages, hasMore };
  }

  @Post()
  @UsePipes(new DtoPipe())
  @ApiOperation({
    summary: 'Sends a message',
    description: 'As `send-message` on the socket: idempotent by `clientMessageId`; participants hear `new-message`.',
  })
  @ApiCreatedResponse({ type: MessageSchema })
  @ApiOkResponse({ type: MessageSchema, description: 'A duplicate: the message stored before' })
  @ApiErrors('NOT_FOUND', 'VALIDATION_FAILED', 'PAYLOAD_TOO_LARGE', 'FORBIDDEN', 'CONFLICT')
  async send(
    @CurrentActor() actor: Actor,
    @Param() { id }: ConversationParamDto,
    @Body() body: MessageBodyDto,
    @Res({ passthrough: true }) response: Response,
  ): Promise<Message> {
    const { message, duplicate } = await this.messages.send(actor, { conversationId: id, ...body });
    response.status(duplicate ? HttpStatus.OK : HttpStatus.CREATED);
    return message;
  }
}

/** One message, over REST. */
@ChatController('v1/messages/:id', 'messages')
export class MessageController {
  constructor(private readonly history: HistoryService) {}

  @Get()
  @ApiOperation({
    summary: 'Reads a message',
    description: 'For participants who can see it. A deleted one comes without its content.',
  })
  @ApiOkResponse({ type: MessageSchema })
  @ApiErrors('NOT_FOUND', 'VALIDATION_FAILED')
  get(@CurrentActor() actor: Actor, @Param(new DtoPipe()) { id }: MessageParamDto): Promise<Message> {
    return this.history.get(actor, id);
  }
}
