import { MessageBody, SubscribeMessage } from '@nestjs/websockets';
import { Actor, CurrentActor } from '../auth/index.js';
import { ChatGateway, InArrivalOrder, ok, type Ack } from '../realtime/index.js';
import { DeleteMessageDto } from './deletion.dto.js';
import { DeletionService, type DeletedMessage } from './deletion.service.js';

/** Deleting, by socket. */
@ChatGateway()
export class DeletionGateway {
  constructor(private readonly deletions: DeletionService) {}

  @InArrivalOrder()
  @SubscribeMessage('delete-message')
  async deleteMessage(
    @CurrentActor() actor: Actor,
    @MessageBody() dto: DeleteMessageDto,
  ): Promise<Ack<DeletedMessage>> {
    return ok(await this.deletions.delete(actor, dto));
  }
}
