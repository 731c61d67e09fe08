import { Get, Query } from '@nestjs/common';
import { ApiOkResponse, ApiOperation } from '@nestjs/swagger';
import { Actor, CurrentActor } from '../auth/index.js';
import { Costs, ApiErrors, ChatController, QueryPipe, type Message, type Page } from '../common/index.js';
import { SearchMessagesDto } from './search.dto.js';
import { SearchPageSchema } from './search.schemas.js';
import { SearchService } from './search.service.js';

/** Searching, over REST. */
@ChatController('v1/search/messages', 'messages')
export class SearchController {
  constructor(private readonly messages: SearchService) {}

  @Get()
  @Costs(10)
  @ApiOperation({ summary: 'Finds messages in the caller’s conversations by their words, newest first' })
  @ApiOkResponse({ type: SearchPageSchema })
  @ApiErrors('VALIDATION_FAILED', 'NOT_FOUND')
  search(@CurrentActor() actor: Actor, @Query(new QueryPipe()) query: SearchMessagesDto): Promise<Page<Message>> {
    return this.messages.search(actor, query);
  }
}
