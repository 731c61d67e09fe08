import { MessageBody, SubscribeMessage } from '@nestjs/websockets';
import { Actor, CurrentActor, Ephemeral } from '../auth/index.js';
import { ChatGateway, ok, type Ack } from '../realtime/index.js';
import { ConversationIdDto } from './conversation.dto.js';
import { JoinService, type JoinedConversation } from './join.service.js';

/** Joining and leaving, by socket. */
@ChatGateway()
export class ConversationGateway {
  constructor(private readonly joins: JoinService) {}

  @SubscribeMessage('join-conversation')
  async join(@CurrentActor() actor: Actor, @MessageBody() dto: ConversationIdDto): Promise<Ack<JoinedConversation>> {
    return ok(await this.joins.join(actor, dto.conversationId));
  }

  @Ephemeral()
  @SubscribeMessage('leave-conversation')
  async leave(
    @CurrentActor() actor: Actor,
    @MessageBody() dto: ConversationIdDto,
  ): Promise<Ack<{ conversationId: string }>> {
    return ok(await this.joins.leave(actor, dto.conversationId));
  }
}
