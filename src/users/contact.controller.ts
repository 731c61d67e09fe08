import { Delete, Get, HttpCode, Param, Put, Query } from '@nestjs/common';
import { ApiNoContentResponse, ApiOkResponse, ApiOperation } from '@nestjs/swagger';
import { Actor, CurrentActor } from '../auth/index.js';
import { ApiErrors, ChatController, DtoPipe, QueryPipe, type Page } from '../common/index.js';
import { ContactService } from './contact.service.js';
import { UserListPageDto, UserListPageSchema, UserParamDto } from './user-list.dto.js';
import type { ListedUser } from './user-list.js';

/** The caller’s contacts, over REST. */
@ChatController('v1/me/contacts', 'me')
export class ContactController {
  constructor(private readonly contacts: ContactService) {}

  @Get()
  @ApiOperation({ summary: 'Lists those one has added, and the other sides of one’s direct conversations' })
  @ApiOkResponse({ type: UserListPageSchema })
  @ApiErrors('VALIDATION_FAILED')
  list(@CurrentActor() actor: Actor, @Query(new QueryPipe()) query: UserListPageDto): Promise<Page<ListedUser>> {
    return this.contacts.list(actor, query);
  }

  @Put(':userId')
  @HttpCode(204)
  @ApiOperation({ summary: 'Adds a contact', description: 'Repeating it is no error. At most `MAX_CONTACTS`.' })
  @ApiNoContentResponse()
  @ApiErrors('VALIDATION_FAILED', 'CONFLICT')
  add(@CurrentActor() actor: Actor, @Param(new DtoPipe()) { userId }: UserParamDto): Promise<void> {
    return this.contacts.add(actor, userId);
  }

  @Delete(':userId')
  @HttpCode(204)
  @ApiOperation({
    summary: 'Takes a contact off',
    description: 'The other side of a direct conversation stays a contact.',
  })
  @ApiNoContentResponse()
  @ApiErrors('VALIDATION_FAILED', 'NOT_FOUND')
  remove(@CurrentActor() actor: Actor, @Param(new DtoPipe()) { userId }: UserParamDto): Promise<void> {
    return this.contacts.remove(actor, userId);
  }
}
