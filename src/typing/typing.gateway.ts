import { MessageBody, SubscribeMessage } from '@nestjs/websockets';
import { Actor, CurrentActor, Ephemeral } from '../auth/index.js';
import { ConversationIdDto } from '../conversations/index.js';
import { ChatGateway, ok, type Ack } from '../realtime/index.js';
import { TypingService, type TypingUsers } from './typing.service.js';

/** Typing, by socket. */
@Ephemeral()
@ChatGateway()
export class TypingGateway {
  constructor(private readonly typing: TypingService) {}

  @SubscribeMessage('typing-start')
  async start(
    @CurrentActor() actor: Actor,
    @MessageBody() { conversationId }: ConversationIdDto,
  ): Promise<Ack<{ expiresAt: string }>> {
    return ok(await this.typing.start(actor, conversationId));
  }

  @SubscribeMessage('typing-stop')
  async stop(
    @CurrentActor() actor: Actor,
    @MessageBody() { conversationId }: ConversationIdDto,
  ): Promise<Ack<Record<string, never>>> {
    await this.typing.stop(actor, conversationId);
    return ok({});
  }

  @SubscribeMessage('get-typing-users')
  async usersTyping(
    @CurrentActor() actor: Actor,
    @MessageBody() { conversationId }: ConversationIdDto,
  ): Promise<Ack<TypingUsers>> {
    return ok(await this.typing.usersTyping(actor, conversationId));
  }
}
