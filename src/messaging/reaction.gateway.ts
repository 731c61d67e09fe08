import { MessageBody, SubscribeMessage } from '@nestjs/websockets';
import { Actor, CurrentActor } from '../auth/index.js';
import type { Message } from '../common/index.js';
import { ChatGateway, InArrivalOrder, ok, type Ack } from '../realtime/index.js';
import { ReactionDto } from './reaction.dto.js';
import { ReactionService } from './reaction.service.js';

/** Reacting, by socket. */
@ChatGateway()
export class ReactionGateway {
  constructor(private readonly reactions: ReactionService) {}

  @InArrivalOrder()
  @SubscribeMessage('add-reaction')
  async addReaction(@CurrentActor() actor: Actor, @MessageBody() dto: ReactionDto): Promise<Ack<{ message: Message }>> {
    return ok({ message: await this.reactions.add(actor, dto) });
  }

  @InArrivalOrder()
  @SubscribeMessage('remove-reaction')
  async removeReaction(
    @CurrentActor() actor: Actor,
    @MessageBody() dto: ReactionDto,
  ): Promise<Ack<{ message: Message }>> {
    return ok({ message: await this.reactions.remove(actor, dto) });
  }
}
