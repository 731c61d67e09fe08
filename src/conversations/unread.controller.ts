import { Get } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiProperty, ApiSchema } from '@nestjs/swagger';
import { Actor, CurrentActor } from '../auth/index.js';
import { ChatController } from '../common/index.js';
import { ConversationService } from './conversation.service.js';
import type { UnreadTotals } from './unread.js';

@ApiSchema({ name: 'UnreadTotals' })
export class UnreadTotalsSchema implements UnreadTotals {
  @ApiProperty({ type: 'integer', minimum: 0, description: 'Messages that the caller has not read, over all' })
  total!: number;

  @ApiProperty({ type: 'integer', minimum: 0, description: 'Conversations with such messages' })
  conversations!: number;
}

/** How much the caller has not read, over REST. */
@ChatController('v1/me/unread', 'me')
export class UnreadController {
  constructor(private readonly conversations: ConversationService) {}

  @Get()
  @ApiOperation({ summary: 'Counts what the caller has not read, over all conversations' })
  @ApiOkResponse({ type: UnreadTotalsSchema })
  get(@CurrentActor() actor: Actor): Promise<UnreadTotals> {
    return this.conversations.unread(actor);
  }
}
