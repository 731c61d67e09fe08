import { Delete, HttpCode, HttpStatus, Param, Query } from '@nestjs/common';
import { ApiNoContentResponse, ApiOperation } from '@nestjs/swagger';
import { Actor, CurrentActor } from '../auth/index.js';
import { ApiErrors, ChatController, DtoPipe, QueryPipe } from '../common/index.js';
import { DeletionScopeDto } from './deletion.dto.js';
import { DeletionService } from './deletion.service.js';
import { MessageParamDto } from './edit.dto.js';

/** Deleting messages, over REST. */
@ChatController('v1/messages/:id', 'messages')
export class DeletionController {
  constructor(private readonly deletions: DeletionService) {}

  @Delete()
  @HttpCode(HttpStatus.NO_CONTENT)
  @ApiOperation({
    summary: 'Deletes a message for everyone, or hides it from the caller',
    description:
      'For everyone: by its sender within `DELETE_WINDOW_SECONDS`, in a group by owner and admins at any time.',
  })
  @ApiNoContentResponse({ description: 'Deleted, now or before' })
  @ApiErrors('VALIDATION_FAILED', 'NOT_FOUND', 'FORBIDDEN', 'WINDOW_EXPIRED')
  async delete(
    @CurrentActor() actor: Actor,
    @Param(new DtoPipe()) { id }: MessageParamDto,
    @Query(new QueryPipe()) { scope }: DeletionScopeDto,
  ): Promise<void> {
    await this.deletions.delete(actor, { messageId: id, ...(scope ? { scope } : {}) });
  }
}
