import { Body, HttpCode, HttpStatus, Param, Post, UsePipes } from '@nestjs/common';
import { ApiOkResponse, ApiOperation } from '@nestjs/swagger';
import { Actor, CurrentActor } from '../auth/index.js';
import { ApiErrors, ChatController, DtoPipe } from '../common/index.js';
import { ConversationParamDto } from '../conversations/index.js';
import { ReadBodyDto } from './receipt.dto.js';
import { ReadCursorSchema } from './receipt.schemas.js';
import { ReceiptService, type ReadCursor } from './receipt.service.js';

/** Marking as read, over REST: the same service method as the gateway's. */
@ChatController('v1/conversations/:id/read', 'messages')
export class ReceiptController {
  constructor(private readonly receipts: ReceiptService) {}

  @Post()
  @HttpCode(HttpStatus.OK)
  @UsePipes(new DtoPipe())
  @ApiOperation({ summary: 'Marks everything up to a message as read' })
  @ApiOkResponse({ type: ReadCursorSchema })
  @ApiErrors('NOT_FOUND', 'VALIDATION_FAILED')
  markRead(
    @CurrentActor() actor: Actor,
    @Param() { id }: ConversationParamDto,
    @Body() { seq }: ReadBodyDto,
  ): Promise<ReadCursor> {
    return this.receipts.markRead(actor, { conversationId: id, seq });
  }
}
