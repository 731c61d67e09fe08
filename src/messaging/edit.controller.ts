import { Body, Get, Param, Patch, Query } from '@nestjs/common';
import { ApiOkResponse, ApiOperation } from '@nestjs/swagger';
import { Actor, CurrentActor } from '../auth/index.js';
import { ApiErrors, ChatController, DtoPipe, QueryPipe, type Message, type Page } from '../common/index.js';
import { ConversationPageDto, MessageSchema } from '../conversations/index.js';
import { EditBodyDto, MessageParamDto } from './edit.dto.js';
import { EditService } from './edit.service.js';
import type { Revision } from './revision.js';
import { RevisionPageSchema } from './revision.schemas.js';
import { RevisionService } from './revision.service.js';

/** Editing messages and what they said before, over REST. */
@ChatController('v1/messages/:id', 'messages')
export class EditController {
  constructor(
    private readonly edits: EditService,
    private readonly revisions: RevisionService,
  ) {}

  @Patch()
  @ApiOperation({ summary: 'Edits a message', description: 'By its sender, within `EDIT_WINDOW_SECONDS`.' })
  @ApiOkResponse({ type: MessageSchema })
  @ApiErrors('VALIDATION_FAILED', 'NOT_FOUND', 'FORBIDDEN', 'CONFLICT', 'WINDOW_EXPIRED', 'PAYLOAD_TOO_LARGE')
  edit(
    @CurrentActor() actor: Actor,
    @Param(new DtoPipe()) { id }: MessageParamDto,
    @Body(new DtoPipe()) body: EditBodyDto,
  ): Promise<Message> {
    return this.edits.edit(actor, { messageId: id, ...body });
  }

  @Get('revisions')
  @ApiOperation({ summary: 'Lists what a message said before its edits, newest first' })
  @ApiOkResponse({ type: RevisionPageSchema })
  @ApiErrors('VALIDATION_FAILED', 'NOT_FOUND')
  listRevisions(
    @CurrentActor() actor: Actor,
    @Param(new DtoPipe()) { id }: MessageParamDto,
    @Query(new QueryPipe()) query: ConversationPageDto,
  ): Promise<Page<Revision>> {
    return this.revisions.list(actor, id, query);
  }
}
