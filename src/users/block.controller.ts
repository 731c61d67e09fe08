import { Delete, Get, HttpCode, Param, Put, Query } from '@nestjs/common';
import { ApiNoContentResponse, ApiOkResponse, ApiOperation } from '@nestjs/swagger';
import { Actor, CurrentActor } from '../auth/index.js';
import { ApiErrors, ChatController, DtoPipe, QueryPipe, type Page } from '../common/index.js';
import { BlockService } from './block.service.js';
import { UserListPageDto, UserListPageSchema, UserParamDto } from './user-list.dto.js';
import type { ListedUser } from './user-list.js';

/** The caller’s blocks, over REST. */
@ChatController('v1/me/blocks', 'me')
export class BlockController {
  constructor(private readonly blocks: BlockService) {}

  @Get()
  @ApiOperation({ summary: 'Lists those one blocks' })
  @ApiOkResponse({ type: UserListPageSchema })
  @ApiErrors('VALIDATION_FAILED')
  list(@CurrentActor() actor: Actor, @Query(new QueryPipe()) query: UserListPageDto): Promise<Page<ListedUser>> {
    return this.blocks.list(actor, query);
  }

  @Put(':userId')
  @HttpCode(204)
  @ApiOperation({
    summary: 'Blocks a user',
    description:
      'Stops direct messages, presence, typing and receipts, both ways, at once, and keeps either out of groups of the ' +
      'other. At most `MAX_BLOCKS`.',
  })
  @ApiNoContentResponse()
  @ApiErrors('VALIDATION_FAILED', 'CONFLICT')
  add(@CurrentActor() actor: Actor, @Param(new DtoPipe()) { userId }: UserParamDto): Promise<void> {
    return this.blocks.add(actor, userId);
  }

  @Delete(':userId')
  @HttpCode(204)
  @ApiOperation({ summary: 'Ends a block' })
  @ApiNoContentResponse()
  @ApiErrors('VALIDATION_FAILED', 'NOT_FOUND')
  remove(@CurrentActor() actor: Actor, @Param(new DtoPipe()) { userId }: UserParamDto): Promise<void> {
    return this.blocks.remove(actor, userId);
  }
}
