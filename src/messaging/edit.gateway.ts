import { MessageBody, SubscribeMessage } from '@nestjs/websockets';
import { Actor, CurrentActor } from '../auth/index.js';
import type { Message } from '../common/index.js';
import { ChatGateway, InArrivalOrder, ok, type Ack } from '../realtime/index.js';
import { EditMessageDto } from './edit.dto.js';
import { EditService } from './edit.service.js';

/** Editing, by socket. */
@ChatGateway()
export class EditGateway {
  constructor(private readonly edits: EditService) {}

  @InArrivalOrder()
  @SubscribeMessage('edit-message')
  async editMessage(
    @CurrentActor() actor: Actor,
    @MessageBody() dto: EditMessageDto,
  ): Promise<Ack<{ message: Message }>> {
    return ok({ message: await this.edits.edit(actor, dto) });
  }
}
